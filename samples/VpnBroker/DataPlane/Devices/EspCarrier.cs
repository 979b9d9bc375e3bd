using CryptoPlane.Esp;

namespace VpnBroker.DataPlane.Devices;

/// <summary>What carries an ESP tunnel, on every lcore.</summary>
/// <param name="Port">The index among an lcore's ESP ports.</param>
/// <param name="OuterHeader">What the outbound SAs put before ESP, since the port does not.</param>
internal readonly record struct EspCarrier(int Port, EspOuterHeader OuterHeader);
