#!/bin/sh
# Runs the real initramfs scripts as process 1 of a PID namespace, in a root of their own on tmpfs, with the real
# busybox. /sys/block and /dev hold only the disks that the test made (loop devices under the names of a board's), so
# that nothing else can be written even by a faulty script. Called by Sandbox.cs under
# `ip netns exec NAME setpriv --bounding-set -sys_time unshare --mount --pid --fork`: the machine's clock is out of
# reach, and reboot(2) in a PID namespace ends that namespace only.
set -eu
work=$1
root=$work/root
mkdir -p "$root"
mount --make-rprivate /
mount -t tmpfs sandbox "$root"
cd "$root"
mkdir -p bin lib proc sys dev run tmp mnt realsys
cp "$work/busybox" bin/busybox
for applet in $(bin/busybox --list); do
  [ "$applet" = busybox ] || ln -s busybox "bin/$applet"
done
# The machine's clock stays as it is; whether the script asks for it shows in its hello.
rm bin/date
cat >bin/date <<'DATE'
#!/bin/sh
case "$*" in *-s*) exit "$(cat /date-status 2>/dev/null || echo 0)" ;; *) exec /bin/busybox date "$@" ;; esac
DATE
chmod 755 bin/date
cp -R "$work/initramfs/." .
chmod 755 init lib/bramble/udhcpc.sh

mount -t proc proc proc
mount --bind "$work/cmdline" proc/cmdline
mount --bind proc/sys proc/sys
mount -o remount,bind,ro proc/sys
mount -t sysfs -o ro sys realsys
mount -t tmpfs sys sys
mkdir -p sys/class sys/block
ln -s /realsys/class/net sys/class/net
cp -R "$work/sys/." sys
mount -t tmpfs dev dev
mknod dev/null c 1 3
mknod dev/zero c 1 5
mknod dev/urandom c 1 9
mknod dev/console c 1 3
mkdir dev/pts
# What a script leaves here outlives the sandbox.
mkdir -p "$work/kept" kept
mount --bind "$work/kept" kept
while read -r name major minor; do
  mknod "dev/$name" b "$major" "$minor"
done <"$work/devices"
exec chroot "$root" /init
