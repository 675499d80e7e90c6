# Disks: which there are, and whether one may be written.
# shellcheck shell=dash

# True for what an operating system can be installed on: no loop, RAM, zram, optical, floppy, mapped or network device,
# none of an eMMC's boot areas.
is_disk() { # NAME
  case $1 in
    mmcblk*boot[0-9] | mmcblk*rpmb | mmcblk*gp[0-9]) return 1 ;;
    mmcblk* | nvme* | vd[a-z]* | sd[a-z]*) return 0 ;;
  esac
  return 1
}

disk_bytes() { # NAME
  read -r sectors 2>/dev/null <"/sys/block/$1/size" || sectors=0
  # The kernel counts in 512 octets whatever the disk's own sector is.
  printf '%s\n' $((sectors * 512))
}

disk_bus() { # NAME
  case $1 in
    mmcblk*)
      read -r card 2>/dev/null <"/sys/block/$1/device/type" || card=SD
      if [ "$card" = MMC ]; then echo emmc; else echo sd; fi
      return
      ;;
    nvme*) echo nvme && return ;;
    vd*) echo virtio && return ;;
  esac
  case $(readlink -f "/sys/block/$1") in
    */usb[0-9]*) echo usb ;;
    */ata[0-9]*) echo ata ;;
    */virtio[0-9]*) echo virtio ;;
    *) echo scsi ;;
  esac
}

disk_serial() { # NAME
  serial_text=''
  for attribute in device/serial serial device/vpd_pg80 device/cid; do
    if [ -r "/sys/block/$1/$attribute" ]; then
      serial_text=$(tr -d '\000' 2>/dev/null <"/sys/block/$1/$attribute" | one_line 64 | tr ' ' '_')
    fi
    if [ -n "$serial_text" ]; then break; fi
  done
  # A USB disk's serial number stands with the USB device, some levels up.
  if [ -z "$serial_text" ] && [ "$(disk_bus "$1")" = usb ]; then
    above=$(readlink -f "/sys/block/$1")
    while [ -n "$above" ] && [ -z "$serial_text" ]; do
      if [ -r "$above/serial" ]; then serial_text=$(one_line 64 <"$above/serial" | tr ' ' '_'); fi
      above=${above%/*}
    done
  fi
  printf '%s\n' "${serial_text:--}"
}

# "blank" if the first 64 KiB hold nothing but zeros; else, and if they cannot be read, "used".
disk_content() { # NAME
  head_sum=$(dd if="/dev/$1" bs=65536 count=1 2>/dev/null | sha256sum)
  zero_sum=$(dd if=/dev/zero bs=65536 count=1 2>/dev/null | sha256sum)
  if [ "$head_sum" = "$zero_sum" ]; then echo blank; else echo used; fi
}

# One "disk NAME SIZE BUS READ-ONLY SERIAL blank|used" line each. A card reader without a card has size 0
# and is left out.
list_disks() {
  for disk_path in /sys/block/*; do
    disk_name=${disk_path##*/}
    is_disk "$disk_name" || continue
    bytes=$(disk_bytes "$disk_name")
    [ "$bytes" -gt 0 ] || continue
    read -r read_only 2>/dev/null <"$disk_path/ro" || read_only=0
    printf 'disk %s %s %s %s %s %s\n' "$disk_name" "$bytes" "$(disk_bus "$disk_name")" "$read_only" \
      "$(disk_serial "$disk_name")" "$(disk_content "$disk_name")"
  done
}

# Sets FAILURE: why an installation cannot go on, for the report. Always false.
fail() {
  FAILURE=$(printf '%s' "$1" | one_line 600)
  return 1
}

# Whether a mount, swap or a mapping uses the disk or one of its partitions.
disk_user() { # NAME
  while read -r device where _; do
    case $device in "/dev/$1" | "/dev/$1"[0-9p]*) printf '%s is mounted on %s\n' "$device" "$where" && return ;; esac
  done </proc/mounts
  while read -r device _; do
    case $device in "/dev/$1" | "/dev/$1"[0-9p]*) printf '%s is in use as swap\n' "$device" && return ;; esac
  done </proc/swaps
  for holder in "/sys/block/$1/holders"/* "/sys/block/$1/$1"*/holders/*; do
    if [ -e "$holder" ]; then printf '%s uses it\n' "${holder##*/}" && return; fi
  done
}

# Nothing is ever written before this has held the plan's disk against what the board sees.
check_disk() {
  disk_name=${DISK#/dev/}
  case $disk_name in
    '' | *[!a-z0-9]*) fail "the plan names the disk \"$DISK\", which is no disk's name" || return 1 ;;
  esac
  if [ "$DISK" != "/dev/$disk_name" ] || ! is_disk "$disk_name"; then
    fail "the plan names the disk \"$DISK\", which is no disk to install on" || return 1
  fi
  if [ ! -e "/sys/block/$disk_name/size" ] || [ ! -b "$DISK" ]; then
    fail "$DISK is not there; this board has: $(list_disks | sed 's/^disk //' | tr '\n' ';')" || return 1
  fi
  bytes=$(disk_bytes "$disk_name")
  if ! is_number "$DISK_SIZE" || [ "$bytes" != "$DISK_SIZE" ]; then
    fail "$DISK has $bytes octets, and the plan wants exactly ${DISK_SIZE:-none}: another disk?" || return 1
  fi
  if [ -n "$DISK_SERIAL" ] && [ "$(disk_serial "$disk_name")" != "$DISK_SERIAL" ]; then
    fail "$DISK has the serial $(disk_serial "$disk_name"), and the plan wants $DISK_SERIAL: another disk?" || return 1
  fi
  read -r read_only 2>/dev/null <"/sys/block/$disk_name/ro" || read_only=0
  if [ "$read_only" != 0 ]; then
    fail "$DISK is read-only: is the card's write-protect switch set, or is it worn out?" || return 1
  fi
  user=$(disk_user "$disk_name")
  if [ -n "$user" ]; then fail "$DISK is in use: $user" || return 1; fi
}

# All that was written is on the medium, and what is read next comes from there.
flush_disk() {
  # Opening it once more makes the kernel tell of any write that failed in the background.
  if ! dd if=/dev/null of="$DISK" conv=notrunc,fsync status=none 2>"$RUN/dd.err"; then
    fail "writing to $DISK failed: $(last_words "$RUN/dd.err")" || return 1
  fi
  blockdev --flushbufs "$DISK" 2>/dev/null
  { echo 3 >/proc/sys/vm/drop_caches; } 2>/dev/null
  return 0
}

partition_device() { # NUMBER
  case $DISK in
    *[0-9]) printf '%sp%s\n' "$DISK" "$1" ;;
    *) printf '%s%s\n' "$DISK" "$1" ;;
  esac
}

# The kernel refuses to read the table again while anything still has the disk open (udev elsewhere, here a late close).
settle_partitions() {
  TARGET=$(partition_device "$ROOT_PARTITION")
  for settle_try in 1 2 3 4 5 6 7 8 9 10; do
    if blockdev --rereadpt "$DISK" 2>"$RUN/reread.err" || partprobe "$DISK" 2>>"$RUN/reread.err"; then
      for _ in 1 2 3 4 5 6; do
        if [ -b "$TARGET" ]; then return 0; fi
        usleep 500000
      done
    fi
    say "$TARGET is not there yet (try $settle_try)"
    sleep 1
  done
  fail "the partition $TARGET does not appear after writing $DISK: $(last_words "$RUN/reread.err")"
}
