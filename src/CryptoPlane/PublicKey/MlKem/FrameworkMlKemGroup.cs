using System.Security.Cryptography;

namespace CryptoPlane.PublicKey.MlKem;

/// <summary>ML-KEM-768 by the framework, that is, by a libcrypto that has it (OpenSSL 3.5 and later).</summary>
internal sealed class FrameworkMlKemGroup() : KeyExchangeGroup("ML-KEM-768", MlKem768Algorithm.EncapsulationKeySize, MlKem768Algorithm.CiphertextSize, MlKem768Algorithm.SecretSize)
{
    /// <inheritdoc/>
    public override KeyExchangeInitiator CreateInitiator() => new Initiator(this, MLKem.GenerateKey(MLKemAlgorithm.MLKem768));

    /// <inheritdoc/>
    public override bool TryRespond(ReadOnlySpan<byte> initiatorShare, Span<byte> responderShare, Span<byte> secret)
    {
        CheckOutputs(responderShare, secret);
        // Looked at here: the framework would throw, and a stranger could buy an exception with a share.
        if (!MlKem768Algorithm.IsEncapsulationKey(initiatorShare))
        {
            responderShare.Clear();
            secret.Clear();
            return false;
        }
        using MLKem key = MLKem.ImportEncapsulationKey(MLKemAlgorithm.MLKem768, initiatorShare);
        key.Encapsulate(responderShare, secret);
        return true;
    }

    private sealed class Initiator(KeyExchangeGroup group, MLKem key) : KeyExchangeInitiator(group, key.ExportEncapsulationKey())
    {
        /// <inheritdoc/>
        public override bool TryFinish(ReadOnlySpan<byte> responderShare, Span<byte> secret)
        {
            Group.CheckSecret(secret);
            secret.Clear();
            if (responderShare.Length != MlKem768Algorithm.CiphertextSize)
                return false;
            key.Decapsulate(responderShare, secret);
            return true;
        }

        /// <inheritdoc/>
        protected override void Dispose(bool disposing)
        {
            if (disposing)
                key.Dispose();
        }
    }
}
