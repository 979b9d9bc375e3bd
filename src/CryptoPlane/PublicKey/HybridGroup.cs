namespace CryptoPlane.PublicKey;

/// <summary>
/// Two groups side by side: shares and secrets are the first group's followed by the second's, so that the secret holds as long as one
/// of the two does.
/// </summary>
internal sealed class HybridGroup(string name, KeyExchangeGroup first, KeyExchangeGroup second)
    : KeyExchangeGroup(name, first.InitiatorShareSize + second.InitiatorShareSize, first.ResponderShareSize + second.ResponderShareSize,
        first.SecretSize + second.SecretSize)
{
    /// <inheritdoc/>
    public override KeyExchangeInitiator CreateInitiator()
    {
        KeyExchangeInitiator one = first.CreateInitiator();
        try
        {
            return new Initiator(this, one, second.CreateInitiator());
        }
        catch
        {
            one.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public override bool TryRespond(ReadOnlySpan<byte> initiatorShare, Span<byte> responderShare, Span<byte> secret)
    {
        CheckOutputs(responderShare, secret);
        int cut = first.InitiatorShareSize, shareCut = first.ResponderShareSize, secretCut = first.SecretSize;
        if (initiatorShare.Length == InitiatorShareSize
            && first.TryRespond(initiatorShare[..cut], responderShare[..shareCut], secret[..secretCut])
            && second.TryRespond(initiatorShare[cut..], responderShare[shareCut..], secret[secretCut..]))
            return true;
        responderShare.Clear();
        secret.Clear();
        return false;
    }

    private bool TryFinish(KeyExchangeInitiator one, KeyExchangeInitiator two, ReadOnlySpan<byte> responderShare, Span<byte> secret)
    {
        CheckSecret(secret);
        int cut = first.ResponderShareSize, secretCut = first.SecretSize;
        if (responderShare.Length == ResponderShareSize
            && one.TryFinish(responderShare[..cut], secret[..secretCut]) && two.TryFinish(responderShare[cut..], secret[secretCut..]))
            return true;
        secret.Clear();
        return false;
    }

    private sealed class Initiator(HybridGroup group, KeyExchangeInitiator one, KeyExchangeInitiator two)
        : KeyExchangeInitiator(group, (byte[])[.. one.Share.Span, .. two.Share.Span])
    {
        /// <inheritdoc/>
        public override bool TryFinish(ReadOnlySpan<byte> responderShare, Span<byte> secret) => group.TryFinish(one, two, responderShare, secret);

        /// <inheritdoc/>
        protected override void Dispose(bool disposing)
        {
            if (!disposing)
                return;
            one.Dispose();
            two.Dispose();
        }
    }
}
