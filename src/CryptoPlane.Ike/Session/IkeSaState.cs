namespace CryptoPlane.Ike;

/// <summary>What an IKE SA is doing.</summary>
public enum IkeSaState
{
    /// <summary>We began: the IKE_SA_INIT request is sent.</summary>
    Initiating,

    /// <summary>A peer began: IKE_SA_INIT is answered, and IKE_AUTH awaited.</summary>
    Responding,

    /// <summary>Keys are there, and the sides are showing who they are.</summary>
    Authenticating,

    /// <summary>Both sides have authenticated.</summary>
    Established,

    /// <summary>Another IKE SA has taken its place and its child SAs; it awaits its deletion.</summary>
    Replaced,

    /// <summary>We are deleting it.</summary>
    Deleting,

    /// <summary>It is gone.</summary>
    Closed,
}
