# The clock: a Pi has none that survives a power cut, and files, certificates and logs of 1970 help nobody.
# shellcheck shell=dash

# Debian's busybox has no program that can send a UDP packet of our making (its nc is TCP only, and there is no ntpd),
# so the manager's time comes by HTTP. Sets CLOCK to seconds since 1970, or to 0 if the clock could not be set.
set_clock() {
  CLOCK=0
  for clock_try in 1 2 3; do
    if [ "$clock_try" -gt 1 ]; then sleep_about 1; fi
    if ! http_once GET /installer/v1/time "$RUN/time" '' 5; then continue; fi
    seconds=$(sed -n 's/^clock \([0-9][0-9]*\)$/\1/p' "$RUN/time" | head -n 1)
    if ! is_number "$seconds"; then REASON='the answer has no "clock SECONDS" line'; continue; fi
    # Before this program was written, or past the year 2100: a manager whose own clock is wrong sets no other.
    if [ "$seconds" -lt 1760000000 ] || [ "$seconds" -gt 4102444800 ]; then
      REASON="it says $seconds seconds since 1970, which cannot be"
      continue
    fi
    if date -u -s "@$seconds" >"$RUN/date.out" 2>&1; then
      CLOCK=$seconds
      say "clock set to $(date -u '+%Y-%m-%d %H:%M:%S') UTC"
      return
    fi
    REASON=$(last_words "$RUN/date.out")
  done
  say "could not set the clock from the manager: $REASON; going on without"
}
