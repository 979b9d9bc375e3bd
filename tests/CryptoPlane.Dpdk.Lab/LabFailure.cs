namespace CryptoPlane.Dpdk.Lab;

/// <summary>Something did not come out as it must.</summary>
internal sealed class LabFailure(string message) : Exception(message);
