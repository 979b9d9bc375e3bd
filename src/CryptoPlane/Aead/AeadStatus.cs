namespace CryptoPlane.Aead;

/// <summary>Which way an <see cref="AeadOperation"/> goes.</summary>
public enum AeadDirection : byte
{
    /// <summary>Encrypt and authenticate.</summary>
    Seal = 0,

    /// <summary>Check the tag, and decrypt only if it is right.</summary>
    Open = 1,
}

/// <summary>What became of an <see cref="AeadOperation"/>.</summary>
public enum AeadStatus : byte
{
    /// <summary>Not submitted yet, or with the backend.</summary>
    Pending = 0,

    /// <summary>Done: the destination holds the result.</summary>
    Success = 1,

    /// <summary>The tag was wrong: the destination holds zeros.</summary>
    AuthenticationFailed = 2,

    /// <summary>The descriptor cannot be carried out (no key, a length beyond the algorithm's limit): the destination was not written.</summary>
    InvalidOperation = 3,

    /// <summary>The backend or its device failed: the destination holds zeros. The same operation may be tried elsewhere only if it is out of place.</summary>
    BackendError = 4,
}
