# mmdebstrap runs this when the essential packages are in. Building Debian's own initrd under emulation takes minutes
# and is not needed: the card's initrd is made by Bramble. The first kernel upgrade on the board makes one.
set -eu
chroot "$1" dpkg-divert --quiet --local --rename --add /usr/sbin/update-initramfs
ln -s /bin/true "$1/usr/sbin/update-initramfs"
