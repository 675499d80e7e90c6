# The plan: reading it, and obeying it. Its values are data. They are cut at the first space, held against the shape
# that they must have, and only then used, always quoted.
# shellcheck shell=dash

SESSION=''

# Octets as a session or job id may have; they go into a header or a path.
is_word() {
  case $1 in
    '' | *[!A-Za-z0-9._~-]*) return 1 ;;
  esac
  [ "${#1}" -le 200 ]
}

read_plan() { # FILE
  PLAN_VERSION='' NODE='' ACTION='' JOB='' RESUME=0 RETRY=15 PLAN_REASON=''
  DISK='' DISK_SIZE='' DISK_SERIAL='' CHUNK_BYTES='' CHUNK_COUNT='' CHUNK_GZIP=0
  ROOT_PARTITION='' ROOT_FSTYPE='' GROW=0 OVERLAY='' ROOT_DEVICE='' INIT='' HOST_KEY=0
  : >"$RUN/patches"
  : >"$RUN/ssh-keys"
  # The last line may lack its line feed; a carriage return is nobody's friend.
  { cat "$1"; echo; } | tr -d '\r\000' >"$RUN/plan.lines"
  while read -r key value; do
    case $key in
      plan) PLAN_VERSION=$value ;;
      session) if is_word "$value"; then SESSION=$value; fi ;;
      node) NODE=$(printf '%s' "$value" | one_line 100) ;;
      action) ACTION=$value ;;
      job) if is_word "$value"; then JOB=$value; fi ;;
      resume) RESUME=$value ;;
      retry) if is_number "$value" && [ "$value" -ge 1 ] && [ "$value" -le 900 ]; then RETRY=$value; fi ;;
      reason) PLAN_REASON=$(printf '%s' "$value" | one_line) ;;
      disk) DISK=$value ;;
      disk-size) DISK_SIZE=$value ;;
      disk-serial) DISK_SERIAL=$value ;;
      chunk-bytes) CHUNK_BYTES=$value ;;
      chunk-count) CHUNK_COUNT=$value ;;
      chunk-gzip) CHUNK_GZIP=$value ;;
      patch) printf '%s\n' "$value" >>"$RUN/patches" ;;
      root-partition) ROOT_PARTITION=$value ;;
      root-fstype) ROOT_FSTYPE=$value ;;
      grow) GROW=$value ;;
      overlay) OVERLAY=$value ;;
      root-device) ROOT_DEVICE=$value ;;
      init) INIT=$value ;;
      ssh-key) printf '%s\n' "$value" >>"$RUN/ssh-keys" ;;
      hostkey) HOST_KEY=$value ;;
    esac
  done <"$RUN/plan.lines"
}

ask_plan() {
  http GET /installer/v1/plan "$RUN/plan" '' 30
  read_plan "$RUN/plan"
}

obey_plan() {
  if [ "$PLAN_VERSION" != 1 ]; then
    say "the plan is of version ${PLAN_VERSION:-none}, and this initramfs knows version 1; asking again in 15 s"
    sleep_about 15
    return
  fi
  # Whatever comes next, a rescue server of an earlier plan must not outlive it.
  if [ "$ACTION" != rescue ]; then stop_rescue; fi
  case $ACTION in
    install) install ;;
    boot) boot ;;
    rescue) rescue ;;
    wait)
      say "waiting: ${PLAN_REASON:-the manager gives no reason}"
      sleep_about "$RETRY"
      ;;
    reboot) restart_now ;;
    *)
      say "the plan's action \"$(printf '%s' "$ACTION" | one_line 40)\" is not known here; asking again in 15 s"
      sleep_about 15
      ;;
  esac
}
