# The installer: says who this board is, asks for its plan, and obeys it (docs/protocols/installer.md).
# Started by /init as a child; ends only to hand over to the installed system (the file $RUN/handoff says so).
# shellcheck shell=dash

LIB=/lib/bramble
RUN=/run/bramble
ROOT=/mnt/root

# shellcheck source=lib.sh
. "$LIB/lib.sh"
# shellcheck source=net.sh
. "$LIB/net.sh"
# shellcheck source=http.sh
. "$LIB/http.sh"
# shellcheck source=clock.sh
. "$LIB/clock.sh"
# shellcheck source=hello.sh
. "$LIB/hello.sh"
# shellcheck source=plan.sh
. "$LIB/plan.sh"
# shellcheck source=progress.sh
. "$LIB/progress.sh"
# shellcheck source=disk.sh
. "$LIB/disk.sh"
# shellcheck source=chunks.sh
. "$LIB/chunks.sh"
# shellcheck source=install.sh
. "$LIB/install.sh"
# shellcheck source=boot.sh
. "$LIB/boot.sh"
# shellcheck source=rescue.sh
. "$LIB/rescue.sh"

banner
read_command_line
load_modules
# A mount left by an installer that died half way would make the next try refuse the disk.
release_root

if [ -z "$URL" ]; then
  restart_soon 'the kernel command line has no bramble.url: this board does not know whom to ask'
fi

net_up
set_clock
hello

while :; do
  obey_plan
  ask_plan
done
