# Words for the console, numbers, the kernel command line, restarts.
# shellcheck shell=dash

# One line for the person at the screen. It goes into the kernel's log as well, at a level that is not printed again.
say() {
  printf 'bramble: %s\n' "$1"
  { printf '<7>bramble: %s\n' "$1" >/dev/kmsg; } 2>/dev/null
}

banner() {
  printf '\n  Bramble installer, %s, kernel %s\n\n' "$(uname -m)" "$(uname -r)"
}

# Text from elsewhere on one line: no control characters, bounded.
one_line() { # [OCTETS]
  tr '[:space:]' ' ' | tr -d '\000-\037\177' | sed 's/  */ /g; s/^ //; s/ $//' | head -c "${1:-300}"
}

# The last words of a tool, for a report: "NAME's words" are more use to an operator than ours.
last_words() { # FILE
  tail -n 3 "$1" 2>/dev/null | one_line
}

# A count without sign or leading zero (sh would read 010 as eight), small enough for 63 bits.
is_number() {
  case $1 in
    0) return 0 ;;
    '' | *[!0-9]* | 0*) return 1 ;;
  esac
  [ "${#1}" -le 18 ]
}

is_sha256() {
  case $1 in
    *[!0-9a-f]*) return 1 ;;
  esac
  [ "${#1}" -eq 64 ]
}

# Seconds since the kernel started: unlike the date, never set back.
uptime_seconds() {
  read -r uptime_word _ </proc/uptime
  printf '%s\n' "${uptime_word%%.*}"
}

random_below() { # N
  printf '%s\n' $(($(hexdump -n 4 -v -e '1/4 "%u"' /dev/urandom) % $1))
}

# Sleeps about that many seconds, a quarter more or less, so that a rack does not ask in step.
sleep_about() { # SECONDS
  usleep $(($1 * SECOND * (750 + $(random_below 500))))
}

# 1, 2, 4 … 30.
next_delay() { # DELAY
  if [ "$1" -ge 16 ]; then echo 30; else echo $(($1 * 2)); fi
}

# Reads our words from the kernel command line. Nothing is evaluated: a word is only ever compared and cut.
read_command_line() {
  URL='' TOKEN='' WANTED_MAC='' SECOND=1000 READ_ONLY_ROOT=0
  tr -s '[:space:]' '\n' </proc/cmdline >"$RUN/cmdline"
  while read -r word; do
    case $word in
      bramble.url=*) URL=${word#*=} ;;
      bramble.token=*) TOKEN=${word#*=} ;;
      bramble.mac=*) WANTED_MAC=$(printf '%s' "${word#*=}" | tr 'A-F-' 'a-f:') ;;
      bramble.second=*) if is_number "${word#*=}"; then SECOND=${word#*=}; fi ;;
      ro) READ_ONLY_ROOT=1 ;;
      rw) READ_ONLY_ROOT=0 ;;
    esac
  done <"$RUN/cmdline"
  URL=${URL%/}
}

# All that the initramfs was given for this kernel, in the order in which they need each other.
load_modules() {
  order=/lib/modules/$(uname -r)/modules.order
  if [ ! -f "$order" ]; then
    say "no modules for the kernel $(uname -r); going on with what it has built in"
    return
  fi
  while read -r module_path; do
    module=${module_path##*/}
    # For other hardware: fine. What is really missing shows as a missing disk or interface, with a message of its own.
    modprobe -q "${module%.ko}" 2>/dev/null
  done <"$order"
}

restart_now() {
  say 'restarting the board'
  sync
  reboot -f
  # In case the restart takes its time: nothing else may happen now.
  while :; do sleep 60; done
}

restart_soon() { # WHY
  say "$1; the board restarts in about 60 s"
  sleep_about 60
  restart_now
}
