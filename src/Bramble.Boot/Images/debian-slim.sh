# mmdebstrap runs this before debian-customize.sh when a slim root is built; $1 is the root.
set -eu
# What was left out stays out when the board upgrades a package.
cp "$1/etc/dpkg/dpkg.cfg.d/99mmdebstrap" "$1/etc/dpkg/dpkg.cfg.d/bramble-slim"
# A board boots the kernel of its boot partition: one copy is enough.
if [ -d "$1/boot/firmware" ]; then
  mv "$1"/boot/vmlinuz-* "$1/boot/firmware/"
  rm -f "$1/vmlinuz"
fi
