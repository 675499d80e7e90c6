# mmdebstrap runs this when all packages are in; $1 is the root.
set -eu
rm -f "$1/usr/sbin/update-initramfs"
chroot "$1" dpkg-divert --quiet --local --rename --remove /usr/sbin/update-initramfs
rm -f "$1/initrd.img" "$1/initrd.img.old" "$1/vmlinuz.old"

# Labels, as the same image goes on cards, USB disks and NVMe.
cat > "$1/etc/fstab" <<'EOF'
LABEL=bramble-root /              ext4 noatime,errors=remount-ro,x-systemd.growfs 0 1
LABEL=BOOT         /boot/firmware vfat noatime,nofail,umask=0077                  0 2
EOF
mkdir -p "$1/boot/firmware"
if [ -f "$1/etc/default/raspi-firmware" ]; then
  echo 'ROOTPART=LABEL=bramble-root' >> "$1/etc/default/raspi-firmware"
fi

# The same client identifier as the firmware and the installer use, so that a board keeps its address.
mkdir -p "$1/etc/systemd/network"
cat > "$1/etc/systemd/network/80-bramble.network" <<'EOF'
[Match]
Type=ether
Kind=!*

[Network]
DHCP=yes

[DHCPv4]
ClientIdentifier=mac
EOF
chroot "$1" systemctl enable systemd-networkd.service

# Nobody logs in by password; keys come with the node's overlay.
chroot "$1" usermod -p '*' root

# Each node has its own identity: host keys come with the overlay, or are made at the first start.
rm -f "$1"/etc/ssh/ssh_host_*
mkdir -p "$1/etc/systemd/system/ssh.service.d"
cat > "$1/etc/systemd/system/ssh.service.d/bramble.conf" <<'EOF'
[Service]
ExecStartPre=
ExecStartPre=/bin/sh -c 'ls /etc/ssh/ssh_host_*_key > /dev/null 2>&1 || exec /usr/bin/ssh-keygen -A'
ExecStartPre=/usr/sbin/sshd -t
EOF
echo uninitialized > "$1/etc/machine-id"
rm -f "$1/var/lib/dbus/machine-id"
echo bramble > "$1/etc/hostname"
printf '127.0.0.1 localhost\n127.0.1.1 bramble\n::1 localhost ip6-localhost\n' > "$1/etc/hosts"

# What only this build needed, and what the next apt-get update brings back.
rm -f "$1/etc/apt/apt.conf.d/99mmdebstrap" "$1/etc/dpkg/dpkg.cfg.d/99mmdebstrap"
rm -rf "$1"/var/cache/apt/* "$1"/var/lib/apt/lists/* "$1"/var/log/*.log "$1"/var/log/apt/*
