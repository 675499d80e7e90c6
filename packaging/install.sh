#!/bin/sh
# Installs brambled and bramble on this machine as a systemd service. Run as root, from anywhere. May be run again:
# programs and unit are replaced, a configuration that is there is left alone, the service is not started.
set -eu

usage() {
  cat <<'TEXT'
packaging/install.sh [--from DIR] [--image-builds] [--dry-run]
packaging/install.sh --uninstall [--dry-run]

  --from DIR       take the published programs from DIR (this machine then needs the .NET runtime only)
  --image-builds   also let brambled run 'bramble image build' (loosens the unit; see systemd/image-builds.conf)
  --uninstall      stop the service and remove what was installed; configuration and state stay
  --dry-run        print what would be done, do nothing
  DESTDIR=/path    install below that directory, for packages: no user, no systemctl

To publish on one machine and install on another:
  packaging/install.sh --publish DIR      publish the programs to DIR and end
TEXT
}

here=$(cd "$(dirname "$0")" && pwd)
tree=$(dirname "$here")
destdir=${DESTDIR:-}
from='' publish_to='' image_builds=0 dry=0 uninstall=0

while [ $# -gt 0 ]; do
  case $1 in
    --from) from=${2:?--from needs a directory}; shift ;;
    --publish) publish_to=${2:?--publish needs a directory}; shift ;;
    --image-builds) image_builds=1 ;;
    --dry-run) dry=1 ;;
    --uninstall) uninstall=1 ;;
    -h | --help) usage; exit 0 ;;
    *) echo "install.sh: '$1' is not understood" >&2; usage >&2; exit 2 ;;
  esac
  shift
done

# Each step goes through here: printed, and done unless this is a dry run.
run() {
  echo "+ $*"
  if [ "$dry" = 0 ]; then "$@"; fi
}

publish() { # DIRECTORY
  if ! command -v dotnet >/dev/null; then
    echo "install.sh: there is no 'dotnet' here: install the .NET 10 SDK, or publish elsewhere and use --from" >&2
    exit 1
  fi
  for project in Bramble.Manager Bramble.Cli; do
    run dotnet publish "$tree/src/$project" -c Release --no-self-contained -o "$1" --nologo -v quiet
  done
}

need_root() {
  if [ -z "$destdir" ] && [ "$dry" = 0 ] && [ "$(id -u)" != 0 ]; then
    echo 'install.sh: run it as root (sudo), or with DESTDIR or --dry-run' >&2
    exit 1
  fi
}

# Whether there is a system here to be told of users and units.
live() {
  [ -z "$destdir" ]
}

has_systemd() {
  live && [ -d /run/systemd/system ]
}

remove_all() {
  need_root
  if has_systemd; then run systemctl disable --now brambled.service || true; fi
  run rm -f "$destdir/usr/bin/bramble" "$destdir/usr/bin/brambled"
  run rm -rf "$destdir/usr/lib/bramble" "$destdir/usr/share/doc/bramble"
  run rm -f "$destdir/usr/lib/systemd/system/brambled.service" "$destdir/usr/lib/sysusers.d/brambled.conf" \
    "$destdir/etc/logrotate.d/brambled" "$destdir/etc/systemd/system/brambled.service.d/image-builds.conf"
  if has_systemd; then run systemctl daemon-reload; fi
  echo 'left in place: /etc/bramble, /var/lib/bramble, /var/log/bramble, the user bramble. To remove them too:'
  echo '  rm -r /etc/bramble /var/lib/bramble /var/log/bramble; userdel bramble'
}

install_programs() { # DIRECTORY
  # A new directory in place of the old one, so that no file of an older version stays behind.
  run rm -rf "$destdir/usr/lib/bramble.new"
  run mkdir -p "$destdir/usr/lib/bramble.new" "$destdir/usr/bin"
  run cp -R "$1/." "$destdir/usr/lib/bramble.new/"
  run rm -rf "$destdir/usr/lib/bramble"
  run mv "$destdir/usr/lib/bramble.new" "$destdir/usr/lib/bramble"
  run ln -sfn ../lib/bramble/bramble "$destdir/usr/bin/bramble"
  run ln -sfn ../lib/bramble/brambled "$destdir/usr/bin/brambled"
}

install_files() {
  run install -D -m 644 "$here/systemd/brambled.service" "$destdir/usr/lib/systemd/system/brambled.service"
  run install -D -m 644 "$here/systemd/brambled.sysusers" "$destdir/usr/lib/sysusers.d/brambled.conf"
  run install -D -m 644 "$here/logrotate" "$destdir/etc/logrotate.d/brambled"
  for page in "$tree"/docs/operations/*.md "$here/bramble.yaml"; do
    run install -D -m 644 "$page" "$destdir/usr/share/doc/bramble/$(basename "$page")"
  done
  if [ "$image_builds" = 1 ]; then
    run install -D -m 644 "$here/systemd/image-builds.conf" \
      "$destdir/etc/systemd/system/brambled.service.d/image-builds.conf"
  fi
}

make_user() {
  if id bramble >/dev/null 2>&1; then return 0; fi
  if command -v systemd-sysusers >/dev/null; then run systemd-sysusers brambled.conf
  else run useradd --system --home-dir /var/lib/bramble --no-create-home --shell /usr/sbin/nologin bramble; fi
}

# After the last range that is taken, in steps as useradd makes them.
free_range() { # FILE
  awk -F: 'BEGIN { free = 100000 } $2 + $3 > free { free = $2 + $3 } END { print free }' "$1" 2>/dev/null || echo 100000
}

give_subordinate_ids() {
  if ! grep -qs '^bramble:' /etc/subuid; then
    first=$(free_range /etc/subuid)
    run usermod --add-subuids "$first-$((first + 65535))" bramble
  fi
  if ! grep -qs '^bramble:' /etc/subgid; then
    first=$(free_range /etc/subgid)
    run usermod --add-subgids "$first-$((first + 65535))" bramble
  fi
}

install_configuration() {
  if [ -e "$destdir/etc/bramble/bramble.yaml" ]; then
    echo 'keeping /etc/bramble/bramble.yaml as it is; the example is in /usr/share/doc/bramble/bramble.yaml'
    return 0
  fi
  run install -D -m 640 "$here/bramble.yaml" "$destdir/etc/bramble/bramble.yaml"
  if live; then run chown root:bramble /etc/bramble/bramble.yaml; fi
}

if [ "$uninstall" = 1 ]; then
  remove_all
  exit 0
fi
if [ -n "$publish_to" ]; then
  publish "$publish_to"
  exit 0
fi

need_root
if [ -z "$from" ]; then
  from=$(mktemp -d)
  trap 'rm -rf "$from"' EXIT
  publish "$from"
elif [ ! -e "$from/brambled" ] || [ ! -e "$from/bramble" ]; then
  echo "install.sh: $from holds no brambled and bramble; make it with 'install.sh --publish $from'" >&2
  exit 1
fi
install_programs "$from"
install_files
if live; then make_user; fi
install_configuration
if live && [ "$image_builds" = 1 ]; then give_subordinate_ids; fi
if has_systemd; then run systemctl daemon-reload; fi

if [ "$dry" = 1 ]; then
  echo 'dry run: nothing was done'
  exit 0
fi
cat <<'TEXT'
installed. Next:
  edit /etc/bramble/bramble.yaml, then     sudo bramble check-config
  sudo systemctl enable --now brambled
  sudo -u bramble brambled first-token     the first admin token, shown once
After an upgrade:                          sudo systemctl restart brambled
TEXT
