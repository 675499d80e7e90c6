# The installation: one pass from an empty or old disk to a root file system that carries the node's own settings.
# shellcheck shell=dash

# Unmounts what an installation or a failed boot left under ROOT.
release_root() {
  for release_try in 1 2 3 4 5; do
    for mounted in "$ROOT/dev" "$ROOT/proc" "$ROOT/sys" "$ROOT"; do
      if grep -q "^[^ ]* $mounted " /proc/mounts; then umount "$mounted" 2>"$RUN/umount.err"; fi
    done
    if ! grep -q "^[^ ]* $ROOT " /proc/mounts; then return 0; fi
    say "$ROOT is busy (try $release_try): $(last_words "$RUN/umount.err")"
    sleep 1
  done
  return 1
}

check_plan() {
  if [ -z "$JOB" ]; then fail 'the plan has no job' || return 1; fi
  if ! is_number "$ROOT_PARTITION" || [ "$ROOT_PARTITION" -lt 1 ] || [ "$ROOT_PARTITION" -gt 128 ]; then
    fail "the plan has root-partition \"$ROOT_PARTITION\"" || return 1
  fi
  case $ROOT_FSTYPE in
    '' | *[!a-z0-9]*) fail "the plan has root-fstype \"$ROOT_FSTYPE\"" || return 1 ;;
  esac
  OVERLAY_LENGTH=${OVERLAY%% *}
  OVERLAY_SUM=${OVERLAY##* }
  if ! is_number "$OVERLAY_LENGTH" || ! is_sha256 "$OVERLAY_SUM"; then
    fail "the plan has overlay \"$OVERLAY\"" || return 1
  fi
}

mount_root() { # DEVICE FSTYPE OPTIONS
  mkdir -p "$ROOT"
  if ! mount -t "$2" -o "$3" "$1" "$ROOT" 2>"$RUN/mount.err"; then
    fail "mounting $1 as $2 failed: $(last_words "$RUN/mount.err"); kernel: $(dmesg | tail -n 2 | one_line)"
  fi
}

# The overlay is unpacked by the busybox inside the new root, under chroot, so that a link in the image that points to
# "/somewhere" leads into the image and not into this initramfs.
unpack_overlay() {
  CURRENT_STEP=overlay
  progress overlay "$TOTAL_BYTES" "$TOTAL_BYTES" || return 1
  fetch_checked 'the overlay' "/installer/v1/overlay/$JOB" "$RUN/overlay.tar" "$OVERLAY_LENGTH" "$OVERLAY_SUM" ||
    return 1
  mount_root "$TARGET" "$ROOT_FSTYPE" rw,noatime || return 1
  if ! mkdir -p "$ROOT/usr/lib/bramble" 2>"$RUN/tar.err" ||
    ! cp /bin/busybox "$ROOT/usr/lib/bramble/busybox" 2>"$RUN/tar.err" ||
    ! chmod 755 "$ROOT/usr/lib/bramble/busybox" 2>"$RUN/tar.err"; then
    fail "busybox could not be put on $TARGET: $(last_words "$RUN/tar.err")" || return 1
  fi
  if ! chroot "$ROOT" /usr/lib/bramble/busybox tar -x -f - -C / --numeric-owner \
    <"$RUN/overlay.tar" >"$RUN/tar.out" 2>"$RUN/tar.err"; then
    fail "unpacking the overlay failed: $(last_words "$RUN/tar.err")" || return 1
  fi
  rm -f "$RUN/overlay.tar"
}

# The image's own resize2fs grows the mounted root: it fits the image's file system features, which ours might not.
grow_root() {
  if [ "$GROW" != 1 ]; then return 0; fi
  CURRENT_STEP=grow
  progress grow "$TOTAL_BYTES" "$TOTAL_BYTES" || return 1
  mkdir -p "$ROOT/dev" "$ROOT/proc"
  if ! mount -o bind /dev "$ROOT/dev" 2>"$RUN/grow.err" || ! mount -t proc proc "$ROOT/proc" 2>"$RUN/grow.err"; then
    fail "the root file system could not be prepared for growing: $(last_words "$RUN/grow.err")" || return 1
  fi
  if ! chroot "$ROOT" resize2fs "$TARGET" >"$RUN/grow.err" 2>&1; then
    fail "resize2fs could not grow $TARGET: $(last_words "$RUN/grow.err")" || return 1
  fi
  say "grown: $(last_words "$RUN/grow.err")"
}

close_root() {
  sync
  if ! release_root; then
    fail "$TARGET could not be unmounted: $(last_words "$RUN/umount.err")" || return 1
  fi
  flush_disk
}

install_steps() {
  CURRENT_STEP=check
  check_plan || return 1
  progress check 0 0 || return 1
  check_disk || return 1
  say "installing on $DISK ($((DISK_SIZE / 1048576)) MiB)"
  fetch_chunk_list && write_chunks && verify_chunks && write_patches && settle_partitions &&
    unpack_overlay && grow_root && close_root
}

install() {
  FAILURE='' DONE_BYTES=0 TOTAL_BYTES=0
  if install_steps; then
    restore_write_cache
    say "job $JOB is installed"
    progress_durable 'done' "$TOTAL_BYTES" "$TOTAL_BYTES"
    return
  fi
  restore_write_cache
  release_root
  rm -f "$RUN/chunk" "$RUN/chunk.gz" "$RUN/overlay.tar"
  if [ -n "$FAILURE" ]; then
    say "FAILED: $FAILURE"
    progress_durable failed "$DONE_BYTES" "$TOTAL_BYTES" "$FAILURE"
    # A manager that says "again" at once is not run over.
    sleep_about 2
  else
    say 'the manager wants something else; the installation is dropped'
  fi
}
