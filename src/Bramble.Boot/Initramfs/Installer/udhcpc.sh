#!/bin/busybox sh
# What udhcpc runs when it gets, renews or loses a lease. The values come from its environment, and it has checked that
# the addresses are addresses.
# shellcheck shell=dash
# shellcheck disable=SC2154 # set by udhcpc
case $1 in
  deconfig)
    ip address flush dev "$interface"
    ip link set dev "$interface" up
    ;;
  bound | renew)
    ip address replace "$ip/${mask:-24}" broadcast "${broadcast:-+}" dev "$interface" || exit 1
    # An old address of another lease would confuse the choice of source address.
    ip -4 -o address show dev "$interface" | sed -n 's/.* inet \([^ ]*\).*/\1/p' | while read -r other; do
      if [ "${other%/*}" != "$ip" ]; then ip address del "$other" dev "$interface"; fi
    done
    if [ -n "${router:-}" ]; then ip route replace default via "${router%% *}" dev "$interface"; fi
    ;;
esac
exit 0
