# The network: find the interface, wait for its link, get an address and keep it.
# shellcheck shell=dash

INTERFACE=''

# Wired Ethernet only: a wireless interface has no link before someone gives it a password.
is_wired() { # NAME
  [ "$1" != lo ] && [ ! -e "/sys/class/net/$1/wireless" ] && [ ! -e "/sys/class/net/$1/phy80211" ] || return 1
  read -r kind 2>/dev/null <"/sys/class/net/$1/type" && [ "$kind" = 1 ]
}

has_carrier() { # NAME
  # Reading carrier of an interface that is down is an error, hence the silence.
  read -r carrier 2>/dev/null <"/sys/class/net/$1/carrier" && [ "$carrier" = 1 ]
}

has_address() { # NAME
  ip -4 address show dev "$1" 2>/dev/null | grep -q ' inet '
}

# Sets INTERFACE to the wanted interface, or to the first with a link; false if there is none yet.
find_interface() { # ANY: 1 to take one with another hardware address than the wanted
  for net_path in /sys/class/net/*; do
    name=${net_path##*/}
    is_wired "$name" || continue
    ip link set dev "$name" up 2>/dev/null
    if [ -n "$WANTED_MAC" ] && [ "$1" = 0 ]; then
      read -r address 2>/dev/null <"$net_path/address" || continue
      [ "$address" = "$WANTED_MAC" ] || continue
    fi
    if has_carrier "$name"; then
      INTERFACE=$name
      return 0
    fi
  done
  return 1
}

# USB network chips appear seconds after the kernel, and a switch port may take 30 s until it forwards.
wait_for_interface() {
  waited=0
  until find_interface "$((waited >= 60))"; do
    if [ $((waited % 10)) -eq 5 ]; then
      names=''
      for net_path in /sys/class/net/*; do
        if is_wired "${net_path##*/}"; then names="$names ${net_path##*/}"; fi
      done
      if [ -n "$names" ]; then
        say "no link yet on$names${WANTED_MAC:+ (wanted: $WANTED_MAC)} after $waited s: cable and switch?"
      else
        say "no network interface yet after $waited s: is its driver in the initramfs?"
      fi
    fi
    sleep 1
    waited=$((waited + 1))
  done
}

stop_dhcp() {
  if [ -f "$RUN/udhcpc.pid" ]; then
    read -r pid <"$RUN/udhcpc.pid" && kill "$pid" 2>/dev/null
    rm -f "$RUN/udhcpc.pid"
  fi
}

# Ends with an address, however long it takes. No client identifier is sent: the boot ROM sent none, and a server that
# goes by identifiers would otherwise take this for another client and give it another address.
net_up() {
  local delay
  stop_dhcp
  delay=1
  while :; do
    wait_for_interface
    say "asking for an address on $INTERFACE"
    # Without -q it stays in the background once it has a lease, and renews it.
    if udhcpc -i "$INTERFACE" -s "$LIB/udhcpc.sh" -p "$RUN/udhcpc.pid" -C -n -t 5 -T 2 >"$RUN/udhcpc.log" 2>&1; then
      say "$INTERFACE has $(ip -4 -o address show dev "$INTERFACE" | sed -n 's/.* inet \([^ ]*\).*/\1/p' | head -n 1)"
      return
    fi
    say "no DHCP answer on $INTERFACE; trying again in about $delay s"
    sleep_about "$delay"
    delay=$(next_delay "$delay")
  done
}

# After a call failed: if the link or the address is gone, start the network over.
net_check() {
  if has_carrier "$INTERFACE" && has_address "$INTERFACE"; then return; fi
  say "the link or the address of $INTERFACE is lost"
  net_up
}

# Leaves the interfaces as the installed system expects to find them. One that is up cannot be renamed, and Debian's
# udev renames them; networkd then waits for ever on the one that kept its old name.
net_down() {
  stop_dhcp
  for net_path in /sys/class/net/*; do
    name=${net_path##*/}
    is_wired "$name" || continue
    ip address flush dev "$name" 2>/dev/null
    ip link set dev "$name" down 2>/dev/null
  done
}
