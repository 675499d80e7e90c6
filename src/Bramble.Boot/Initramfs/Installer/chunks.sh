# The image: its chunk list, fetching, writing, reading back.
# shellcheck shell=dash

sum_of() { # FILE
  sha256sum <"$1" | cut -c 1-64
}

# SHA-256 of that many zeros; that of a whole chunk is needed again and again.
zero_sum() { # LENGTH
  if [ "$1" != "$ZERO_LENGTH" ]; then
    ZERO_LENGTH=$1
    ZERO_SUM=$(dd if=/dev/zero bs="$1" count=1 status=none | sha256sum | cut -c 1-64)
  fi
}

# A call for this job was answered "no such job": drop it if the manager now wants something else.
job_is_over() {
  ! progress "$CURRENT_STEP" "$DONE_BYTES" "$TOTAL_BYTES"
}

# Fetches into memory and checks. What arrives damaged is fetched again, three times in all.
fetch_checked() { # WHAT PATH FILE LENGTH SHA256 [1 if to be fetched gzipped]
  for fetch_try in 1 2 3; do
    if [ "${6:-0}" = 1 ]; then
      http GET "$2.gz" "$3.gz" '' 60 job_is_over || return 1
      # Damage shows in the length or the checksum of what comes out.
      gunzip -c <"$3.gz" >"$3" 2>"$RUN/gunzip.err"
    else
      http GET "$2" "$3" '' 60 job_is_over || return 1
    fi
    arrived=$(wc -c <"$3")
    fetched_sum=$(sum_of "$3")
    if [ "$arrived" -eq "$4" ] && [ "$fetched_sum" = "$5" ]; then return 0; fi
    say "$1 arrived damaged (try $fetch_try)"
    if [ "$fetch_try" -lt 3 ]; then sleep_about "$fetch_try"; fi
  done
  fail "$1 arrived damaged three times: $arrived octets with SHA-256 $fetched_sum, expected $4 with $5"
}

# Fetches the chunk list and holds it against the plan and the disk, so that the loops below need not.
fetch_chunk_list() {
  if ! is_number "$CHUNK_BYTES" || [ "$CHUNK_BYTES" -lt 512 ] || [ "$CHUNK_BYTES" -gt 67108864 ]; then
    fail "the plan has chunk-bytes \"$CHUNK_BYTES\"" || return 1
  fi
  if ! is_number "$CHUNK_COUNT" || [ "$CHUNK_COUNT" -lt 1 ]; then
    fail "the plan has chunk-count \"$CHUNK_COUNT\"" || return 1
  fi
  http GET "/installer/v1/chunks/$JOB" "$RUN/chunks.raw" '' 60 job_is_over || return 1
  tr -d '\r\000' <"$RUN/chunks.raw" >"$RUN/chunks"
  TOTAL_BYTES=0
  expected=0
  while read -r index length sum rest; do
    if [ "$index" != "$expected" ] || ! is_number "$length" || [ "$length" -lt 1 ] ||
      [ "$length" -gt "$CHUNK_BYTES" ] || [ -n "$rest" ] || { [ "$sum" != zero ] && ! is_sha256 "$sum"; }; then
      fail "the chunk list is not understood at chunk $expected: $index $length $sum" || return 1
    fi
    # Only the last may be short: a chunk's place is its index times the chunk's size.
    if [ "$TOTAL_BYTES" -ne $((expected * CHUNK_BYTES)) ]; then
      fail "chunk $((expected - 1)) is short, and is not the last" || return 1
    fi
    expected=$((expected + 1))
    TOTAL_BYTES=$((TOTAL_BYTES + length))
  done <"$RUN/chunks"
  if [ "$expected" -ne "$CHUNK_COUNT" ]; then
    fail "the chunk list has $expected chunks, and the plan says $CHUNK_COUNT" || return 1
  fi
  if [ "$TOTAL_BYTES" -gt "$DISK_SIZE" ]; then
    fail "the image of $TOTAL_BYTES octets does not fit on $DISK with its $DISK_SIZE" || return 1
  fi
}

# Prints the SHA-256 of a chunk's place on the disk. (dd counts the octets: the head applet copies one at a time.)
sum_on_disk() { # INDEX LENGTH
  dd if="$DISK" bs="$CHUNK_BYTES" skip="$1" count="$2" iflag=count_bytes,fullblock status=none 2>"$RUN/dd.err" |
    sha256sum | cut -c 1-64
}

is_on_disk() { # INDEX LENGTH SHA256-OR-zero
  wanted=$3
  if [ "$3" = zero ]; then zero_sum "$2" && wanted=$ZERO_SUM; fi
  [ "$(sum_on_disk "$1" "$2")" = "$wanted" ]
}

# Fetches a chunk and writes it to its place.
put_chunk() { # INDEX LENGTH SHA256-OR-zero
  if [ "$3" = zero ]; then
    dd if=/dev/zero of="$RUN/chunk" bs="$2" count=1 status=none 2>"$RUN/dd.err"
  else
    fetch_checked "chunk $1" "/installer/v1/chunks/$JOB/$1" "$RUN/chunk" "$2" "$3" "$CHUNK_GZIP" || return 1
  fi
  # A card that was pulled leaves no node, and dd would quietly make a file of that name in memory.
  if [ ! -b "$DISK" ]; then fail "$DISK is gone: was it pulled out?" || return 1; fi
  if ! dd if="$RUN/chunk" of="$DISK" bs="$CHUNK_BYTES" seek="$1" conv=notrunc status=none 2>"$RUN/dd.err"; then
    fail "writing chunk $1 to $DISK failed: $(last_words "$RUN/dd.err")" || return 1
  fi
}

# Bounds what waits in memory to be written, so that fetching and writing go on side by side and the figures stay true.
bound_write_cache() {
  {
    cat /proc/sys/vm/dirty_ratio >"$RUN/dirty_ratio"
    cat /proc/sys/vm/dirty_background_ratio >"$RUN/dirty_background_ratio"
    echo 4194304 >/proc/sys/vm/dirty_background_bytes
    echo 33554432 >/proc/sys/vm/dirty_bytes
  } 2>/dev/null
}

restore_write_cache() {
  for setting in dirty_ratio dirty_background_ratio; do
    if [ -s "$RUN/$setting" ]; then
      { cat "$RUN/$setting" >"/proc/sys/vm/$setting"; } 2>/dev/null
      rm -f "$RUN/$setting"
    fi
  done
}

write_chunks() {
  CURRENT_STEP='write'
  ZERO_LENGTH=''
  fetched=0
  held_bytes=0
  : >"$RUN/written"
  progress write 0 "$TOTAL_BYTES" || return 1
  bound_write_cache
  while read -r index length sum _ <&3; do
    # A new card holds zeros already, and reading is faster than writing and wears no flash.
    if { [ "$RESUME" = 1 ] || [ "$sum" = zero ]; } && is_on_disk "$index" "$length" "$sum"; then
      held_bytes=$((held_bytes + length))
    else
      put_chunk "$index" "$length" "$sum" || return 1
      echo "$index $length $sum" >>"$RUN/written"
      fetched=$((fetched + 1))
    fi
    DONE_BYTES=$((DONE_BYTES + length))
    progress_if_due write "$DONE_BYTES" "$TOTAL_BYTES" || return 1
  done 3<"$RUN/chunks"
  say "wrote $fetched of $CHUNK_COUNT chunks"
}

# Reads back from the medium every chunk that was written; the others have just been read. One that differs is written
# once more; a second difference is a bad disk.
verify_chunks() {
  CURRENT_STEP=verify
  DONE_BYTES=$held_bytes
  progress verify "$DONE_BYTES" "$TOTAL_BYTES" || return 1
  flush_disk || return 1
  while read -r index length sum <&3; do
    if ! is_on_disk "$index" "$length" "$sum"; then
      say "chunk $index reads back otherwise than it was written; writing it once more"
      put_chunk "$index" "$length" "$sum" || return 1
      flush_disk || return 1
      if ! is_on_disk "$index" "$length" "$sum"; then
        words=$(last_words "$RUN/dd.err")
        fail "chunk $index at octet $((index * CHUNK_BYTES)) of $DISK reads back otherwise than it was written, twice\
${words:+ ($words)}: the disk is bad" || return 1
      fi
    fi
    DONE_BYTES=$((DONE_BYTES + length))
    progress_if_due verify "$DONE_BYTES" "$TOTAL_BYTES" || return 1
  done 3<"$RUN/written"
}

# The partition table as it must be on this disk, and whatever else the manager changes in the image for this node.
write_patches() {
  CURRENT_STEP='patch'
  progress patch "$TOTAL_BYTES" "$TOTAL_BYTES" || return 1
  while read -r index offset length sum rest <&3; do
    if ! is_number "$index" || ! is_number "$offset" || ! is_number "$length" || ! is_sha256 "$sum" ||
      [ "$length" -lt 1 ] || [ "$length" -gt 67108864 ] || [ -n "$rest" ]; then
      fail "the plan's patch is not understood: $index $offset $length $sum" || return 1
    fi
    if [ $((offset + length)) -gt "$DISK_SIZE" ]; then
      fail "patch $index ends at octet $((offset + length)), beyond the end of $DISK" || return 1
    fi
    fetch_checked "patch $index" "/installer/v1/patches/$JOB/$index" "$RUN/chunk" "$length" "$sum" || return 1
    if [ ! -b "$DISK" ]; then fail "$DISK is gone: was it pulled out?" || return 1; fi
    if ! dd if="$RUN/chunk" of="$DISK" bs="$length" seek="$offset" oflag=seek_bytes conv=notrunc,fsync status=none \
      2>"$RUN/dd.err"; then
      fail "writing patch $index to $DISK failed: $(last_words "$RUN/dd.err")" || return 1
    fi
    flush_disk || return 1
    read_sum=$(dd if="$DISK" bs="$length" skip="$offset" iflag=skip_bytes,fullblock count=1 status=none |
      sha256sum | cut -c 1-64)
    if [ "$read_sum" != "$sum" ]; then
      fail "patch $index at octet $offset of $DISK reads back otherwise than it was written" || return 1
    fi
  done 3<"$RUN/patches"
}
