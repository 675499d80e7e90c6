# Saying how far the board is.
# shellcheck shell=dash

LAST_TIME=0
LAST_PERCENT=0

progress_body() { # STEP DONE TOTAL MESSAGE
  if [ -n "$JOB" ]; then printf 'job %s\n' "$JOB"; fi
  printf 'step %s\ndone %s\ntotal %s\n' "$1" "$2" "$3"
  if [ -n "$4" ]; then printf 'message %s\n' "$4"; fi
}

# Reads the answer. True: go on. False: the manager wants something else, and the caller drops what it does.
obey_answer() {
  answer=$(sed -n 's/^answer \([a-z]*\).*/\1/p' "$RUN/answer" | head -n 1)
  case $answer in
    plan) return 1 ;;
    reboot)
      release_root
      restart_now
      ;;
  esac
  return 0
}

# A figure on the way: one try, and no answer counts as "go on", for the next figure will say more. What must not be
# lost goes by progress_durable.
progress() { # STEP DONE TOTAL [MESSAGE]
  LAST_TIME=$(uptime_seconds)
  LAST_PERCENT=$(percent_of "$2" "$3")
  progress_body "$1" "$2" "$3" "${4:-}" >"$RUN/progress"
  if ! http_once POST /installer/v1/progress "$RUN/answer" "$RUN/progress" 10; then
    end_if_refused /installer/v1/progress
    return 0
  fi
  obey_answer
}

# Repeated until it is answered.
progress_durable() { # STEP DONE TOTAL [MESSAGE]
  progress_body "$1" "$2" "$3" "${4:-}" >"$RUN/progress"
  http POST /installer/v1/progress "$RUN/answer" "$RUN/progress" 30
  obey_answer
}

percent_of() { # DONE TOTAL
  if [ "$2" -gt 0 ]; then echo $(($1 * 100 / $2)); else echo 100; fi
}

# For loops: at least every 5 s or 5 %, and at the end.
progress_if_due() { # STEP DONE TOTAL
  percent=$(percent_of "$2" "$3")
  if [ $(($(uptime_seconds) - LAST_TIME)) -lt 5 ] && [ $((percent - LAST_PERCENT)) -lt 5 ] && [ "$2" -lt "$3" ]; then
    return 0
  fi
  say "$1: $percent % ($(($2 / 1048576)) of $(($3 / 1048576)) MiB)"
  progress "$1" "$2" "$3"
}
