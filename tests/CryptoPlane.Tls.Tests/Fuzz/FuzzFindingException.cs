namespace CryptoPlane.Tls.Tests.Fuzz;

/// <summary>The engine broke one of its promises.</summary>
internal sealed class FuzzFindingException(string message, Exception? inner = null) : Exception(message, inner);
