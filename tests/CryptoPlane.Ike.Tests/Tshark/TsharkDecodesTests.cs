using System.Net;
using CryptoPlane.Ike.Tests.Malformed;
using CryptoPlane.Ike.Wire;

namespace CryptoPlane.Ike.Tests.Tshark;

/// <summary>Another decoder reads in our messages what we meant.</summary>
public sealed class TsharkDecodesTests
{
    private static readonly IPEndPoint s_initiator = new(IPAddress.Parse("192.0.2.1"), 500), s_responder = new(IPAddress.Parse("192.0.2.2"), 500);

    [Fact]
    public void Tshark_reads_every_payload_as_it_was_meant()
    {
        using IkeCapture capture = new();
        (PayloadType first, byte[] chain) = SampleChains.Everything;
        IkeHeader header = new(0x0102030405060708, 0, ExchangeType.IkeSaInit, IkeHeaderFlags.Initiator, 0) { NextPayload = first };
        byte[] message = [.. new byte[IkeHeader.Size], .. chain];
        header.Write(message, message.Length);
        capture.Add(s_initiator, s_responder, message);

        (string Field, string Value)[] expected =
        [
            ("isakmp.ispi", "0102030405060708"), ("isakmp.exchangetype", "34"), ("isakmp.flag_i", "1"), ("isakmp.flag_r", "0"),
            ("isakmp.messageid", "0x00000000"), ("isakmp.length", $"{message.Length}"),
            // What follows what, at every level.
            ("isakmp.typepayload", "33,2,3,3,3,3,3,3,3,3,2,3,3,3,3,3,3,3,3,34,40,35,36,37,38,39,41,41,41,41,41,41,41,42,42,43,44,45,47,48"),
            ("isakmp.prop.number", "1,2"), ("isakmp.prop.protoid", "1,3"), ("isakmp.prop.transforms", "8,8"),
            ("isakmp.tf.type", "1,1,2,4,5,6,6,12,1,1,2,4,5,6,6,12"), ("isakmp.tf.id.encr", "20,28,20,28"), ("isakmp.tf.id.prf", "5,5"),
            ("isakmp.tf.id.dh", "31,31"), ("isakmp.tf.id.esn", "1,1"), ("isakmp.ike2.attr.key_length", "256,256"),
            ("isakmp.key_exchange.dh_group", "31"), ("isakmp.id.type", "2,1"), ("isakmp.id.data.fqdn", "cli"), ("isakmp.id.data.ipv4_addr", "192.0.2.1"),
            ("isakmp.cert.encoding", "12"), ("isakmp.cert.x509.url", "http://example"), ("isakmp.auth.method", "2"), ("isakmp.notify.msgtype", "16393,16390,16438,16441,47,17,16431"),
            ("isakmp.notify.data.accepted_dh_group", "19"), ("isakmp.notify.data.signature_hash_algorithms", "2,3,4"),
            ("isakmp.delete.protoid", "3,1"), ("isakmp.delete.spi", "00000001,00000002,00000003"), ("isakmp.vid_bytes", "010203"),
            ("isakmp.ts.number", "2,1"), ("isakmp.ts.type", "7,8,7"), ("isakmp.ts.protoid", "0,0,17"), ("isakmp.ts.start_port", "0,0,500"),
            ("isakmp.ts.end_port", "65535,65535,500"), ("isakmp.ts.start_ipv4", "10.0.0.0,192.0.2.1"), ("isakmp.ts.end_ipv4", "10.255.255.255,192.0.2.9"),
            ("isakmp.ts.start_ipv6", "2001:db8::"), ("isakmp.ts.end_ipv6", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff"),
            ("isakmp.cfg.type", "1"), ("isakmp.cfg.attr.internal_ip4_address", "127.0.0.1"), ("eap.code", "1"), ("eap.type", "1"),
            ("_ws.malformed", ""), ("_ws.expert.severity", ""),
        ];
        string[] read = Assert.Single(capture.Read(expected.Select(e => e.Field)));
        Assert.Equal(expected.Select(e => $"{e.Field} = {e.Value}"), expected.Zip(read, (e, value) => $"{e.Field} = {value}"));
    }
}
