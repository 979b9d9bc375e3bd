using VpnBroker.Configuration;

namespace VpnBroker.Tests.Configuration;

/// <summary>A small valid configuration, for tests to break.</summary>
internal static class ConfigText
{
    public const string Valid = """
        listen: ["127.0.0.1:4433"]
        certificate: {certificateFile: server.crt, keyFile: server.key, selfSigned: true, names: [vpn.test]}
        authentication: {usersFile: users}
        defaults:
          pool: staff
          mtu: 1400
          include: [10.20.0.0/16]
          dpd: 30s
        groups:
          - name: guests
            pool: guests
            idleTime: 30m
        pools:
          - {name: staff, ipv4: 10.77.0.0/16, ipv6: "fd00:77::/64"}
          - {name: guests, ipv4: 10.78.0.0/24}
        limits: {halfOpen: 100}
        lcores: {count: 2, idle: adaptive}
        tun: {name: broker0, addresses: [10.77.0.1/16]}
        esp:
          insecureStaticKeys: true
          stateFile: esp-state
          tunnels:
            - name: dc1
              mode: udp
              local: 192.0.2.1:4500
              remote: 198.51.100.7:4500
              remotePrefixes: [10.30.0.0/16]
              pairs:
                - lcore: 0
                  inbound: {spi: 0x01000001, key: 000102030405060708090a0b0c0d0e0f, salt: 10111213}
                  outbound: {spi: 300, key: 202122232425262728292a2b2c2d2e2f, salt: 30313233}
                - lcore: 1
                  inbound: {spi: 0x02000001, key: 404142434445464748494a4b4c4d4e4f, salt: 50515253}
                  outbound: {spi: 301, key: 606162636465666768696a6b6c6d6e6f, salt: 70717273}
        control: {socket: broker.sock}
        log: {level: warning}
        """;

    public static BrokerConfig Parse(string text) => ConfigLoader.Parse("/etc/test/broker.yaml", text);
}
