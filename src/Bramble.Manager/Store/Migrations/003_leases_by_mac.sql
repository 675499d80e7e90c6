-- A client that gets another address gives up the one it had, which is looked for at each lease that is written.
CREATE INDEX leases_by_mac ON leases (network, mac);
