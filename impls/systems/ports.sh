# For the start scripts: reads the variables that say where ports are.

# The address of one of the node's own ports, from DS_PORTS: {"2380":"127.0.0.1:4002"}
own_port() {
    printf '%s' "${DS_PORTS:-}" | sed -n "s/.*\"$1\" *: *\"\([^\"]*\)\".*/\1/p"
}

# A line "n2 127.0.0.1:5002" for each other node, from DS_PEERS: {"n2":{"2380":"127.0.0.1:5002"}}
peer_ports() {
    printf '%s' "${DS_PEERS:-}" | tr '}' '\n' |
        sed -n "s/.*\"\([^\"]*\)\" *: *{.*\"$1\" *: *\"\([^\"]*\)\".*/\1 \2/p"
}

# The two parts of an address.
host_of() { printf '%s' "${1%:*}"; }
port_of() { printf '%s' "${1##*:}"; }
