#!/usr/bin/env bash
# Makes what the NATS servers and the nodes need to trust each other: an authority for NATS alone, certificates and
# passwords. Needs openssl. Run it again to renew the certificates: authority, passwords and names stay.
#
#   identities.sh DIR [NAME…]      NAME: each host name of the NATS servers
#
#   DIR/authority   ca.pem, ca-key.pem: keep it on another machine
#   DIR/nats        for each NATS server: ca.pem, cert.pem, key.pem, logins.conf
#   DIR/node        for each node: ca.pem, cert.pem, key.pem, login, system-login
#   DIR/admin       for you, with the command nats: ca.pem, cert.pem, key.pem, login

set -euo pipefail
umask 077

# TLS 1.3 takes these keys. Browsers and public authorities limit certificates to about a year; we do as well.
readonly CURVE=prime256v1 AUTHORITY_DAYS=3650 DAYS=397

main() {
    if [ $# -eq 0 ]; then
        sed -n '2,11s/^# \{0,1\}//p' "$0" >&2
        exit 2
    fi
    local dir=$1
    shift
    local names=("$@")
    mkdir -p "$dir"/{authority,nats,node,admin}
    cd "$dir"
    if [ ${#names[@]} -eq 0 ] && [ -e names ]; then
        mapfile -t names < names
    elif [ ${#names[@]} -eq 0 ]; then
        names=(nats-0.nats nats-1.nats nats-2.nats)
    fi
    printf '%s\n' "${names[@]}" > names
    make_authority
    # A server connects to the others, so its certificate is one of a client as well.
    issue nats "tipoff NATS server" "serverAuth, clientAuth" "$(printf 'DNS:%s,' "${names[@]}")"
    issue node "tipoff node" clientAuth ""
    issue admin "tipoff NATS admin" clientAuth ""
    make_logins
    echo "made identities in $dir for the NATS servers ${names[*]}, valid for $DAYS days"
}

make_authority() {
    if [ -e authority/ca.pem ]; then
        return
    fi
    make_key authority/ca-key.pem
    openssl req -x509 -new -key authority/ca-key.pem -days $AUTHORITY_DAYS -subj "/CN=tipoff NATS authority" \
        -addext "basicConstraints = critical, CA:TRUE, pathlen:0" -addext "keyUsage = critical, keyCertSign, cRLSign" \
        -out authority/ca.pem
}

# issue FOLDER SUBJECT USAGES NAMES
issue() {
    make_key "$1/key.pem.new"
    {
        echo "basicConstraints = critical, CA:FALSE"
        echo "keyUsage = critical, digitalSignature"
        echo "extendedKeyUsage = $3"
        if [ -n "$4" ]; then
            echo "subjectAltName = ${4%,}"
        fi
    } > "$1/extensions"
    openssl req -new -key "$1/key.pem.new" -subj "/CN=$2" |
        openssl x509 -req -CA authority/ca.pem -CAkey authority/ca-key.pem -set_serial "0x$(openssl rand -hex 16)" \
            -days $DAYS -extfile "$1/extensions" -out "$1/cert.pem.new" 2> /dev/null
    rm "$1/extensions"
    cp authority/ca.pem "$1/ca.pem"
    mv "$1/key.pem.new" "$1/key.pem"
    mv "$1/cert.pem.new" "$1/cert.pem"
}

make_key() {
    openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:$CURVE -out "$1" 2> /dev/null
}

make_logins() {
    if [ -e nats/logins.conf ]; then
        return
    fi
    local node system admin
    node=$(openssl rand -hex 32)
    system=$(openssl rand -hex 32)
    admin=$(openssl rand -hex 32)
    echo "node:$node" > node/login
    echo "system:$system" > node/system-login
    echo "admin:$admin" > admin/login
    # Quoted: a number such as 1e5 would be read as one.
    printf '%s: "%s"\n' NODE_PASSWORD "$node" SYSTEM_PASSWORD "$system" ADMIN_PASSWORD "$admin" > nats/logins.conf
}

main "$@"
