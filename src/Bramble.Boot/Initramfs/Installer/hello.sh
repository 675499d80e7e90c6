# Who this board is, and the first call.
# shellcheck shell=dash

# The device tree's strings end with a NUL.
device_tree() { # NAME
  tr -d '\000' 2>/dev/null <"/sys/firmware/devicetree/base/$1" | one_line 100
}

dmi() { # NAME
  one_line 100 2>/dev/null <"/sys/class/dmi/id/$1"
}

board_model() {
  model=$(device_tree model)
  if [ -z "$model" ]; then model=$(printf '%s %s' "$(dmi sys_vendor)" "$(dmi product_name)" | one_line 100); fi
  printf '%s\n' "${model:-unknown}"
}

board_serial() {
  serial=$(device_tree serial-number)
  if [ -z "$serial" ]; then serial=$(dmi product_serial); fi
  printf '%s\n' "$serial"
}

hello_body() {
  printf 'boot-id %s\n' "$(cat /proc/sys/kernel/random/boot_id)"
  printf 'mac %s\n' "$(cat "/sys/class/net/$INTERFACE/address")"
  serial=$(board_serial)
  if [ -n "$serial" ]; then printf 'serial %s\n' "$serial"; fi
  printf 'model %s\n' "$(board_model)"
  printf 'arch %s\n' "$(uname -m)"
  printf 'kernel %s\n' "$(uname -r)"
  printf 'memory %s\n' "$(($(sed -n 's/^MemTotal: *\([0-9]*\) kB$/\1/p' /proc/meminfo) * 1024))"
  printf 'clock %s\n' "$CLOCK"
  list_disks
}

hello() {
  # Cards and USB disks are found asynchronously: give them a moment, but a board without any must say hello too.
  for _ in 1 2 3 4 5 6 7 8 9 10; do
    if [ -n "$(list_disks)" ]; then break; fi
    sleep 1
  done
  hello_body >"$RUN/hello"
  BEARER=$TOKEN
  say "asking $URL what to do"
  http POST /installer/v1/hello "$RUN/plan" "$RUN/hello" 30
  read_plan "$RUN/plan"
  if [ -z "$SESSION" ]; then restart_soon 'the answer to hello has no session'; fi
  BEARER=$SESSION
  say "this is node ${NODE:-without a name}"
}
