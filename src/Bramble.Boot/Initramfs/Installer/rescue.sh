# Rescue: the board stays in its initramfs, reachable by SSH, and touches no disk.
# shellcheck shell=dash

# Debian's name for the processor, as the bundles are called.
rescue_arch() {
  case $(uname -m) in
    aarch64) echo arm64 ;;
    armv*) echo armhf ;;
    x86_64) echo amd64 ;;
    *) uname -m ;;
  esac
}

rescue_is_over() {
  ! progress rescue 0 0
}

# The bundle is unpacked over /: it brings usr/sbin/dropbear and the libraries that it needs where its loader looks.
# With "hostkey 1" it brings the node's host key as well, so that a client knows it; else dropbear makes one.
start_rescue() {
  if [ ! -x /usr/sbin/dropbear ]; then
    http GET "/installer/v1/rescue/$(rescue_arch)" "$RUN/rescue.tgz" '' 300 rescue_is_over || return 0
    if ! tar -x -z -f "$RUN/rescue.tgz" -C / --numeric-owner 2>"$RUN/tar.err"; then
      fail "unpacking the rescue bundle failed: $(last_words "$RUN/tar.err")" || return 1
    fi
    rm -f "$RUN/rescue.tgz"
    if [ ! -x /usr/sbin/dropbear ]; then fail 'the rescue bundle brings no /usr/sbin/dropbear' || return 1; fi
  fi
  if [ "$HOST_KEY" = 1 ] && ! ls /etc/dropbear/dropbear_*_host_key >/dev/null 2>&1; then
    say 'the rescue bundle brings no host key; a new one is made'
  fi
  mkdir -p /etc/dropbear /root
  # The one account; there is no password, and dropbear (-s) would take none.
  printf 'root:x:0:0:root:/root:/bin/sh\n' >/etc/passwd
  printf 'root:x:0:\n' >/etc/group
  printf '/bin/sh\n' >/etc/shells
  if ! /usr/sbin/dropbear -R -s -P "$RUN/dropbear.pid" >"$RUN/dropbear.log" 2>&1; then
    fail "the SSH server does not start: $(last_words "$RUN/dropbear.log")" || return 1
  fi
  say "rescue: reachable by SSH as root on $INTERFACE"
}

rescue_runs() {
  [ -s "$RUN/dropbear.pid" ] && read -r pid <"$RUN/dropbear.pid" && kill -0 "$pid" 2>/dev/null
}

# The keys of the newest plan, each time.
place_keys() {
  mkdir -p /root/.ssh
  cp "$RUN/ssh-keys" /root/.ssh/authorized_keys
  chmod 700 /root /root/.ssh
  chmod 600 /root/.ssh/authorized_keys
}

rescue() {
  FAILURE=''
  place_keys
  if ! rescue_runs; then
    if ! start_rescue; then
      say "FAILED: $FAILURE"
      progress_durable failed 0 0 "$FAILURE"
      sleep_about "$RETRY"
      return
    fi
    progress rescue 0 0 || return
  fi
  sleep_about "$RETRY"
}

stop_rescue() {
  if rescue_runs; then
    kill "$pid"
    say 'rescue: the SSH server is stopped'
  fi
  rm -f "$RUN/dropbear.pid"
}
