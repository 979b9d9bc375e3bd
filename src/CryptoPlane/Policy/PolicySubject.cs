namespace CryptoPlane.Policy;

/// <summary>Who opens flows: a user and the groups that the user is in. Control threads.</summary>
/// <param name="User">The user's name; names are compared exactly.</param>
/// <param name="Groups">The names of the groups.</param>
public sealed record PolicySubject(string User, IReadOnlyList<string> Groups);
