# shellcheck shell=bash disable=SC2034
# Sourced by ./demo and ./test: what they need from the distribution, and how to get it.

# What brambled itself uses, and the virtual rack.
run_packages=(iproute2 nftables libsqlite3-0 e2fsprogs dosfstools mtools fakeroot xz-utils zstd gzip tar
  openssh-client busybox-static cpio fdisk socat)

# Real peers and emulated boards, for the tests and ./demo --qemu.
qemu_packages=(qemu-system-arm qemu-utils qemu-user-static binfmt-support mmdebstrap arch-test
  debian-archive-keyring faketime)
# Emulated PCs and arm64 servers, with the firmware that they have.
pc_packages=(qemu-system-x86 ovmf qemu-efi-aarch64 ipxe-qemu)
test_packages=("${qemu_packages[@]}" "${pc_packages[@]}" snmp snmpd tftp-hpa atftp curl isc-dhcp-client udhcpc
  shellcheck ntpsec-ntpdate chrony bind9-dnsutils dnsmasq-base iputils-ping gdisk dropbear-bin zsh fish util-linux
  sqlite3 ipxe isc-dhcp-relay nmap procps systemd)

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"
  elif command -v sudo >/dev/null; then sudo "$@"
  else echo "this needs root (apt-get, network namespaces), and there is no sudo" >&2; return 1; fi
}

install_packages() {
  local missing=() package
  if ! command -v dotnet >/dev/null; then
    echo "the .NET 10 SDK is missing: https://learn.microsoft.com/dotnet/core/install/linux" >&2
    return 1
  fi
  for package in "$@"; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
  done
  [ ${#missing[@]} = 0 ] && return 0
  echo "installing: ${missing[*]}"
  as_root apt-get update -qq
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
}

# Programs of other architectures run only where the kernel's binfmt_misc is mounted and told of qemu.
prepare_emulation() {
  [ -e /proc/sys/fs/binfmt_misc/register ] || as_root mount -t binfmt_misc binfmt_misc /proc/sys/fs/binfmt_misc || true
  [ -e /proc/sys/fs/binfmt_misc/qemu-aarch64 ] || as_root update-binfmts --enable >/dev/null 2>&1 || true
}
