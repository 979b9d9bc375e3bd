using System.Runtime.InteropServices;

namespace CryptoPlane.Aead;

/// <summary>One message at a time, with spans in the order of the framework's AEAD classes: for control paths and tests.</summary>
public sealed unsafe partial class AeadEngine
{
    private AeadOperation* _single;
    private byte* _scratch;
    private nuint _scratchLength;

    /// <summary>Seals one message. Bursts of <see cref="AeadOperation"/> are the fast way: this copies through native memory.</summary>
    /// <param name="key">The key.</param>
    /// <param name="nonce">12 bytes, never used before under this key.</param>
    /// <param name="plaintext">The message.</param>
    /// <param name="ciphertext">Receives as many bytes as <paramref name="plaintext"/> has; may be the same memory.</param>
    /// <param name="tag">Receives 16 bytes.</param>
    /// <param name="associatedData">Up to 65,535 bytes that are authenticated only.</param>
    /// <returns><see cref="AeadStatus.Success"/>, or why not; the outputs then hold zeros.</returns>
    /// <exception cref="ArgumentException">A span has the wrong size.</exception>
    /// <exception cref="InvalidOperationException">Operations are in flight.</exception>
    public AeadStatus Seal(
        AeadKeyHandle key,
        ReadOnlySpan<byte> nonce,
        ReadOnlySpan<byte> plaintext,
        Span<byte> ciphertext,
        Span<byte> tag,
        ReadOnlySpan<byte> associatedData = default)
    {
        Span<byte> text = PrepareSingle(key, AeadDirection.Seal, nonce, plaintext.Length, ciphertext.Length, tag.Length, associatedData);
        plaintext.CopyTo(text);
        AeadStatus status = RunSingle();
        if (status == AeadStatus.Success)
        {
            text[..plaintext.Length].CopyTo(ciphertext);
            text[plaintext.Length..].CopyTo(tag);
        }
        else
        {
            ciphertext.Clear();
            tag.Clear();
        }
        text.Clear();
        return status;
    }

    /// <summary>Opens one message. Bursts of <see cref="AeadOperation"/> are the fast way: this copies through native memory.</summary>
    /// <param name="key">The key.</param>
    /// <param name="nonce">12 bytes.</param>
    /// <param name="ciphertext">The sealed message.</param>
    /// <param name="tag">Its 16-byte tag.</param>
    /// <param name="plaintext">Receives as many bytes as <paramref name="ciphertext"/> has; may be the same memory.</param>
    /// <param name="associatedData">Up to 65,535 bytes, as they were sealed.</param>
    /// <returns><see cref="AeadStatus.Success"/>, or why not; <paramref name="plaintext"/> then holds zeros. A wrong tag does not throw.</returns>
    /// <exception cref="ArgumentException">A span has the wrong size.</exception>
    /// <exception cref="InvalidOperationException">Operations are in flight.</exception>
    public AeadStatus Open(
        AeadKeyHandle key,
        ReadOnlySpan<byte> nonce,
        ReadOnlySpan<byte> ciphertext,
        ReadOnlySpan<byte> tag,
        Span<byte> plaintext,
        ReadOnlySpan<byte> associatedData = default)
    {
        Span<byte> text = PrepareSingle(key, AeadDirection.Open, nonce, ciphertext.Length, plaintext.Length, tag.Length, associatedData);
        ciphertext.CopyTo(text);
        tag.CopyTo(text[ciphertext.Length..]);
        AeadStatus status = RunSingle();
        if (status == AeadStatus.Success)
            text[..ciphertext.Length].CopyTo(plaintext);
        else
            plaintext.Clear();
        text.Clear();
        return status;
    }

    /// <summary>Checks the sizes and fills the descriptor.</summary>
    /// <returns>Scratch for the text and the tag, in place.</returns>
    private Span<byte> PrepareSingle(
        AeadKeyHandle key,
        AeadDirection direction,
        ReadOnlySpan<byte> nonce,
        int length,
        int outputLength,
        int tagLength,
        ReadOnlySpan<byte> associatedData)
    {
        if (outputLength != length)
            throw new ArgumentException($"Plaintext and ciphertext have the same length, not {length} and {outputLength} bytes.");
        if (tagLength != AeadSizes.Tag)
            throw new ArgumentException($"A tag has 16 bytes, not {tagLength}.");
        if (associatedData.Length > ushort.MaxValue)
            throw new ArgumentException($"AAD has at most 65,535 bytes, not {associatedData.Length}.");
        nuint textLength = (nuint)length + AeadSizes.Tag;
        if (textLength > int.MaxValue)
            throw new ArgumentException($"A message has at most {int.MaxValue - AeadSizes.Tag} bytes, not {length}.");
        Reserve(textLength + (nuint)associatedData.Length);

        AeadOperation* operation = _single;
        *operation = default;
        operation->SetNonce(nonce);
        operation->Source = operation->Destination = _scratch;
        operation->Key = key;
        operation->Length = (uint)length;
        operation->Direction = direction;
        if (associatedData.Length <= AeadSizes.InlineAad)
        {
            operation->SetInlineAad(associatedData);
        }
        else
        {
            operation->AadLength = (ushort)associatedData.Length;
            operation->AadPointer = _scratch + textLength;
            associatedData.CopyTo(new Span<byte>(operation->AadPointer, associatedData.Length));
        }
        return new Span<byte>(_scratch, (int)textLength);
    }

    private AeadStatus RunSingle()
    {
        Run(_single, 1);
        return _single->Status;
    }

    /// <summary>Makes room for a message, in native memory since backends take nothing else. What it held was wiped after use.</summary>
    private void Reserve(nuint length)
    {
        if (_single == null)
            _single = (AeadOperation*)NativeMemory.AlignedAlloc(AeadOperation.SizeInBytes, AeadOperation.SizeInBytes);
        if (_scratchLength >= length)
            return;
        NativeMemory.Free(_scratch);
        _scratch = null;
        _scratchLength = 0;
        _scratch = (byte*)NativeMemory.Alloc(length);
        _scratchLength = length;
    }

    private void FreeScratch()
    {
        NativeMemory.AlignedFree(_single);
        NativeMemory.Free(_scratch);
        _single = null;
        _scratch = null;
        _scratchLength = 0;
    }
}
