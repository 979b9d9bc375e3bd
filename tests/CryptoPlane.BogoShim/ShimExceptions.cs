namespace CryptoPlane.BogoShim;

/// <summary>The runner asks for something that is not there: exit code 89, and the runner skips the test.</summary>
internal sealed class NotImplementedFlagException(string what) : Exception($"Not implemented: {what}");

/// <summary>The connection failed, or was not as the runner said that it would be.</summary>
internal sealed class ShimFailureException(string message) : Exception(message);
