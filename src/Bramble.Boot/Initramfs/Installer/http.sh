# Calls to the manager. One try is http_once; callers that cannot go on without an answer use http, which never gives
# up.
# shellcheck shell=dash

# What authorises a call: the token until the answer to hello, then the session.
BEARER=''

# Sets STATUS to the HTTP status (200, the refusal's number, or 0 if there was none) and REASON to words.
http_once() { # METHOD PATH ANSWER-FILE BODY-FILE LIMIT-SECONDS
  rm -f "$3"
  # Debian's wget applet has no time-out of its own, so timeout(1) gives it one.
  if [ "$1" = POST ]; then
    timeout -s KILL "$5" wget -q -Y off -O "$3" --header "Authorization: Bearer $BEARER" \
      --header 'Content-Type: text/plain; charset=utf-8' --post-file "$4" "$URL$2" 2>"$RUN/wget.err"
  else
    timeout -s KILL "$5" wget -q -Y off -O "$3" --header "Authorization: Bearer $BEARER" \
      "$URL$2" 2>"$RUN/wget.err"
  fi
  wget_status=$?
  if [ "$wget_status" -eq 0 ] && [ -f "$3" ]; then
    STATUS=200 REASON=''
    return 0
  fi
  rm -f "$3"
  STATUS=$(sed -n 's/.*server returned error: HTTP\/[0-9.]* \([0-9][0-9][0-9]\).*/\1/p' "$RUN/wget.err" | head -n 1)
  STATUS=${STATUS:-0}
  REASON=$(last_words "$RUN/wget.err")
  REASON=${REASON#wget: }
  if [ "$wget_status" -ge 128 ] || [ -z "$REASON" ]; then REASON="no answer within $5 s"; fi
  return 1
}

# 401 and 403 mean that the token or session is over: only a new boot brings a new one.
end_if_refused() { # PATH
  case $STATUS in
    401 | 403) restart_soon "the manager refuses this boot's authorisation at $1 (HTTP $STATUS)" ;;
  esac
}

# Tries until it has an answer, with back-off; the network is mended on the way. A status that says "no such job"
# makes it look (GIVE-UP, a command) whether the call still makes sense, and false is returned if not.
http() { # METHOD PATH ANSWER-FILE BODY-FILE LIMIT-SECONDS [GIVE-UP]
  local delay limit
  delay=1
  limit=$5
  until http_once "$1" "$2" "$3" "$4" "$limit"; do
    end_if_refused "$2"
    say "$1 $2: $REASON; trying again in about $delay s"
    # A slow link needs more time, not only more tries.
    if [ "$STATUS" = 0 ] && [ "$wget_status" -ge 128 ] && [ "$limit" -lt 900 ]; then limit=$((limit * 2)); fi
    case $STATUS in
      404 | 409 | 410) if [ -n "${6:-}" ] && "$6"; then return 1; fi ;;
    esac
    sleep_about "$delay"
    delay=$(next_delay "$delay")
    net_check
  done
}
