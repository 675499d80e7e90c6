#!/bin/sh
# Boots the root file system of the disk that this came from. Runs on busybox as /init.
export PATH=/bin
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
mkdir -p /mnt/root

root='' init=/sbin/init mode=ro type=''
for word in $(cat /proc/cmdline); do
  case $word in
    root=*) root=${word#root=} ;;
    init=*) init=${word#init=} ;;
    rootfstype=*) type="-t ${word#rootfstype=}" ;;
    ro | rw) mode=$word ;;
  esac
done

while read -r module; do
  module=${module##*/}
  modprobe -q "${module%.ko}"
done < "/lib/modules/$(uname -r)/modules.order"

find_root() {
  case $root in
    LABEL=* | UUID=*) findfs "$root" 2> /dev/null ;;
    *) [ -b "$root" ] && echo "$root" ;;
  esac
}

tries=0
while :; do
  device=$(find_root)
  # shellcheck disable=SC2086 # the type is two words or none
  [ -n "$device" ] && mount $type -o "$mode" "$device" /mnt/root && break
  tries=$((tries + 1))
  [ "$tries" -eq 10 ] && echo "bramble: waiting for the root file system $root" > /dev/console
  if [ "$tries" -ge 120 ]; then
    echo "bramble: $root did not appear in 60 s; restarting" > /dev/console
    sleep 5
    reboot -f
  fi
  usleep 500000
done

umount /sys
umount /proc
mount -o move /dev /mnt/root/dev
exec switch_root /mnt/root "$init"
