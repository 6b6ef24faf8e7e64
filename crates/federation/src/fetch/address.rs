//! Which addresses a stranger may make us connect to.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Whether an address is one of the public internet: global unicast, whatever it is wrapped in.
///
/// Addresses of IPv4 that hide inside those of IPv6 are taken out and judged themselves. NAT64 has to work: on hosts
/// with IPv6 alone half of all servers are reached in this way.
pub fn is_global(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_global_v4(address),
        IpAddr::V6(address) => is_global_v6(address),
    }
}

/// (network, bits) that are not of the public internet: the special-purpose registry of IANA.
const SPECIAL_V4: &[([u8; 4], u32)] = &[
    ([0, 0, 0, 0], 8),
    ([10, 0, 0, 0], 8),
    ([100, 64, 0, 0], 10),
    ([127, 0, 0, 0], 8),
    ([169, 254, 0, 0], 16),
    ([172, 16, 0, 0], 12),
    ([192, 0, 0, 0], 24),
    ([192, 0, 2, 0], 24),
    // Relays of 6to4, which are no more.
    ([192, 88, 99, 0], 24),
    ([192, 168, 0, 0], 16),
    ([198, 18, 0, 0], 15),
    ([198, 51, 100, 0], 24),
    ([203, 0, 113, 0], 24),
    // Multicast, reserved, broadcast.
    ([224, 0, 0, 0], 3),
];

fn is_global_v4(address: Ipv4Addr) -> bool {
    let bits = u32::from(address);
    !SPECIAL_V4.iter().any(|(network, length)| (bits ^ u32::from_be_bytes(*network)) >> (32 - length) == 0)
}

/// (network, bits) of global unicast that are not of the public internet.
const SPECIAL_V6: &[([u16; 8], u32)] = &[
    // Protocol assignments: benchmarking, ORCHID, …; Teredo is looked at before.
    ([0x2001, 0, 0, 0, 0, 0, 0, 0], 23),
    ([0x2001, 0xdb8, 0, 0, 0, 0, 0, 0], 32),
    ([0x3fff, 0, 0, 0, 0, 0, 0, 0], 20),
    // The old 6bone.
    ([0x3ffe, 0, 0, 0, 0, 0, 0, 0], 16),
];

fn is_global_v6(address: Ipv6Addr) -> bool {
    let parts = address.segments();
    let v4 = |high: u16, low: u16| Ipv4Addr::from((u32::from(high) << 16) | u32::from(low));
    match parts {
        // IPv4-mapped.
        [0, 0, 0, 0, 0, 0xffff, high, low] => is_global_v4(v4(high, low)),
        // NAT64's own prefix.
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => is_global_v4(v4(high, low)),
        // 6to4.
        [0x2002, high, low, ..] => is_global_v4(v4(high, low)),
        // Teredo: its server, and its client turned inside out.
        [0x2001, 0, server_high, server_low, _, _, high, low] => {
            is_global_v4(v4(server_high, server_low)) && is_global_v4(v4(!high, !low))
        }
        // ISATAP ends in an address of IPv4, under any prefix.
        [.., 0 | 0x200, 0x5efe, high, low] if !is_global_v4(v4(high, low)) => false,
        // All that is not global unicast: loopback, local, multicast, IPv4-compatible, translated, …
        [first, ..] if first & 0xe000 != 0x2000 => false,
        _ => !SPECIAL_V6.iter().any(|(network, length)| is_within(address, *network, *length)),
    }
}

fn is_within(address: Ipv6Addr, network: [u16; 8], length: u32) -> bool {
    (u128::from(address) ^ u128::from(Ipv6Addr::from(network))) >> (128 - length) == 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const PUBLIC: &[&str] = &[
        "1.1.1.1",
        "8.8.8.8",
        "9.255.255.255",
        "11.0.0.1",
        "100.63.255.255",
        "100.128.0.1",
        "172.15.0.1",
        "172.32.0.1",
        "192.0.1.1",
        "198.17.0.1",
        "198.20.0.1",
        "223.255.255.254",
        "2606:4700:4700::1111",
        "2a01:4f8::1",
        "2001:4860:4860::8888",
        "2001:200::1",
        "64:ff9b::8.8.8.8",
        "::ffff:8.8.8.8",
        "2002:808:808::1",
        "2600::5efe:808:808",
    ];

    const OTHERS: &[&str] = &[
        "0.0.0.0",
        "0.1.2.3",
        "10.0.0.1",
        "100.64.0.1",
        "100.127.255.255",
        "127.0.0.1",
        "127.255.255.254",
        "169.254.169.254",
        "172.16.0.1",
        "172.31.255.255",
        "192.0.0.8",
        "192.0.2.1",
        "192.88.99.1",
        "192.168.1.1",
        "198.18.0.1",
        "198.19.255.255",
        "198.51.100.1",
        "203.0.113.1",
        "224.0.0.1",
        "239.255.255.255",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::127.0.0.1",
        "::8.8.8.8",
        "::ffff:127.0.0.1",
        "::ffff:a9fe:a9fe",
        "::ffff:0:127.0.0.1",
        "::ffff:0:8.8.8.8",
        "64:ff9b::127.0.0.1",
        "64:ff9b::a9fe:a9fe",
        "64:ff9b:1::7f00:1",
        "64:ff9b:1::808:808",
        "2002:7f00:1::1",
        "2002:c0a8:101::",
        "2001:0:7f00:1::f7f7:f7f7",
        "2001:0:808:808::80ff:fffe",
        "2600::5efe:7f00:1",
        "2600::200:5efe:a00:1",
        "fe80::1",
        "fec0::1",
        "fc00::1",
        "fd00:ec2::254",
        "ff02::1",
        "100::1",
        "2001:2::1",
        "2001:10::1",
        "2001:20::1",
        "2001:db8::1",
        "3fff::1",
        "3ffe::1",
        "5f00::1",
        "4000::1",
    ];

    #[test]
    fn public_addresses_and_all_others() {
        for text in PUBLIC {
            assert!(is_global(text.parse().unwrap()), "{text} is public");
        }
        for text in OTHERS {
            assert!(!is_global(text.parse().unwrap()), "{text} is not public");
        }
    }

    proptest! {
        #[test]
        fn wrapping_an_address_changes_nothing(bits: u32) {
            let inner = Ipv4Addr::from(bits);
            let global = is_global_v4(inner);
            let (high, low) = ((bits >> 16) as u16, bits as u16);
            let wrapped = |parts: [u16; 8]| is_global_v6(Ipv6Addr::from(parts));
            prop_assert_eq!(wrapped([0, 0, 0, 0, 0, 0xffff, high, low]), global);
            prop_assert_eq!(wrapped([0x64, 0xff9b, 0, 0, 0, 0, high, low]), global);
            prop_assert_eq!(wrapped([0x2002, high, low, 0, 0, 0, 0, 1]), global);
            prop_assert_eq!(wrapped([0x2001, 0, 0x808, 0x808, 0, 0, !high, !low]), global);
            prop_assert!(!wrapped([0, 0, 0, 0, 0, 0, high, low]));
        }

        #[test]
        fn what_is_not_global_unicast_is_never_public(bits: u128) {
            let address = Ipv6Addr::from(bits);
            let first = address.segments()[0];
            prop_assume!(first & 0xe000 != 0x2000 && first != 0x64 && first != 0);
            prop_assert!(!is_global_v6(address));
        }
    }
}
