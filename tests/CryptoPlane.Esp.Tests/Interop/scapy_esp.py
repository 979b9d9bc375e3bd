"""ESP by scapy, for the tests: reads a JSON array of cases from stdin, writes a JSON array of results to stdout.

A case: action (seal, open), algorithm, key (with salt), spi, esn, sequence (64 bits), udp, source, destination, packet; transport, and
auth_algorithm and auth_key where the algorithm is no AEAD, may be left out.
seal takes an inner packet and gives the outer one, open takes an outer packet and gives the inner one; all bytes are hex.
A result is {"packet": hex} or {"error": text}.
"""
import json
import sys

from scapy.layers.inet import IP, UDP
from scapy.layers.inet6 import IPv6
from scapy.layers.ipsec import ESP, SecurityAssociation
from scapy.packet import raw


def ip(packet):
    return (IP if packet[0] >> 4 == 4 else IPv6)(packet)


def run(case):
    header = (IPv6 if ":" in case["source"] else IP)(src=case["source"], dst=case["destination"])
    sequence = case["sequence"]
    association = SecurityAssociation(
        ESP,
        spi=case["spi"],
        seq_num=sequence & 0xFFFFFFFF,  # given here, since encrypt() takes a sequence number of 0 for none
        crypt_algo=case["algorithm"],
        crypt_key=bytes.fromhex(case["key"]),
        auth_algo=case.get("auth_algorithm"),
        auth_key=bytes.fromhex(case.get("auth_key") or "") or None,
        tunnel_header=None if case.get("transport") else header,
        nat_t_header=UDP(sport=4500, dport=4500) if case["udp"] else None,
        esn_en=case["esn"],
        esn=sequence >> 32 if case["esn"] else 0,
    )
    packet = ip(bytes.fromhex(case["packet"]))
    if case["action"] == "open":
        return raw(association.decrypt(packet))
    outer = bytearray(raw(association.encrypt(packet)))
    if case["udp"] and header.version == 4:
        # scapy 2.5 computes the UDP length before it appends the ESP packet, and so writes 8.
        outer[24:26] = (len(outer) - 20).to_bytes(2, "big")
    return bytes(outer)


def main():
    results = []
    for case in json.load(sys.stdin):
        try:
            results.append({"packet": run(case).hex()})
        except Exception as error:  # a case that scapy refuses is the test's to report
            results.append({"error": f"{type(error).__name__}: {error}"})
    json.dump(results, sys.stdout)


main()
