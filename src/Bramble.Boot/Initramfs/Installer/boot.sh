# Handing over to the installed system.
# shellcheck shell=dash

# Whether a path inside the mounted root can be run. Its links are followed inside that root.
is_program() { # PATH
  if [ -x "$ROOT/usr/lib/bramble/busybox" ]; then
    chroot "$ROOT" /usr/lib/bramble/busybox test -x "$1"
  else
    [ -x "$ROOT$1" ] || [ -L "$ROOT$1" ]
  fi
}

boot_steps() {
  case $ROOT_DEVICE in
    /dev/*[!a-z0-9]* | /dev/) fail "the plan has root-device \"$ROOT_DEVICE\"" || return 1 ;;
    /dev/*) ;;
    *) fail "the plan has root-device \"$ROOT_DEVICE\"" || return 1 ;;
  esac
  case $ROOT_FSTYPE in
    '' | *[!a-z0-9]*) fail "the plan has root-fstype \"$ROOT_FSTYPE\"" || return 1 ;;
  esac
  case $INIT in
    /*[!A-Za-z0-9/._-]*) fail "the plan has init \"$INIT\"" || return 1 ;;
    /*) ;;
    *) fail "the plan has init \"$INIT\"" || return 1 ;;
  esac
  # A slow card or a USB disk may still be on its way.
  for boot_try in 1 2 3 4 5 6; do
    if [ -b "$ROOT_DEVICE" ]; then break; fi
    say "$ROOT_DEVICE is not there yet"
    sleep "$boot_try"
  done
  if [ ! -b "$ROOT_DEVICE" ]; then
    fail "$ROOT_DEVICE is not there; this board has: $(list_disks | sed 's/^disk //' | tr '\n' ';')" || return 1
  fi
  if [ "$READ_ONLY_ROOT" = 1 ]; then mode=ro; else mode=rw; fi
  mount_root "$ROOT_DEVICE" "$ROOT_FSTYPE" "$mode" || return 1
  if ! is_program "$INIT"; then fail "$ROOT_DEVICE has no program $INIT: not a root file system?" || return 1; fi
}

boot() {
  FAILURE='' DONE_BYTES=0 TOTAL_BYTES=0
  say "starting the installed system from $ROOT_DEVICE"
  if boot_steps; then
    if ! progress boot 0 0; then
      release_root
      return
    fi
    net_down
    say 'handing over'
    printf '%s\n' "$INIT" >"$RUN/handoff"
    exit 0
  fi
  release_root
  say "FAILED: $FAILURE"
  progress_durable failed 0 0 "$FAILURE"
  sleep_about 2
}
