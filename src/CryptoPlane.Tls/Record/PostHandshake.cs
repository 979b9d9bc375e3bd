namespace CryptoPlane.Tls.Record;

/// <summary>
/// Handshake messages behind the handshake (RFC 8446 §4.6), whole, several in a record, or spread over records. What is kept of an
/// unfinished message is five bytes, so a peer cannot make this side store anything.
/// </summary>
internal static unsafe class PostHandshake
{
    private const byte NewSessionTicket = 4, Certificate = 11, CertificateRequest = 13, CertificateVerify = 15, Finished = 20, KeyUpdate = 24;
    private const int HeaderLength = 4, KeyUpdateBody = 1;

    /// <summary>
    /// Longest NewSessionTicket: lifetime, age_add, nonce, ticket and extensions at the most that their length fields allow (§4.6.1).
    /// </summary>
    private const int MaxTicketBody = 4 + 4 + 1 + 255 + 2 + ushort.MaxValue + 2 + (ushort.MaxValue - 1);

    /// <summary>Processes the content of a record of type handshake.</summary>
    /// <param name="state">The connection's state for opening; keeps what is unfinished.</param>
    /// <param name="content">The record's content.</param>
    /// <param name="isKeyUpdate">Whether the record ends with a KeyUpdate: the next record is under the next key.</param>
    /// <returns><see cref="TlsOpenStatus.Handled"/>, or the failure.</returns>
    public static TlsOpenStatus Process(TlsTrafficState* state, ReadOnlySpan<byte> content, out bool isKeyUpdate)
    {
        isKeyUpdate = false;
        while (!content.IsEmpty)
        {
            if (state->SkipRemaining != 0)
            {
                int skipped = (int)Math.Min(state->SkipRemaining, (uint)content.Length);
                state->SkipRemaining -= (uint)skipped;
                content = content[skipped..];
                continue;
            }
            // Sound: PartialLength is at most 4 here, and the buffer has 5 bytes.
            state->Partial[state->PartialLength++] = content[0];
            content = content[1..];
            if (state->PartialLength == HeaderLength)
            {
                TlsOpenStatus header = ProcessHeader(state);
                if (header != TlsOpenStatus.Handled)
                    return header;
            }
            else if (state->PartialLength == HeaderLength + KeyUpdateBody)
            {
                // RFC 8446 §5.1: messages immediately before a key change must end with their record.
                if (!content.IsEmpty)
                    return TlsOpenStatus.UnexpectedMessage;
                isKeyUpdate = true;
                return ProcessKeyUpdate(state);
            }
        }
        return TlsOpenStatus.Handled;
    }

    private static TlsOpenStatus ProcessHeader(TlsTrafficState* state)
    {
        int length = (state->Partial[1] << 16) | (state->Partial[2] << 8) | state->Partial[3];
        switch (state->Partial[0])
        {
            case KeyUpdate:
                return length == KeyUpdateBody ? TlsOpenStatus.Handled : TlsOpenStatus.DecodeError;
            case NewSessionTicket when state->Use == TlsTrafficUse.ReadAsClient:
                // Tickets are for resumption, which this side does not do.
                state->PartialLength = 0;
                state->SkipRemaining = (uint)length;
                return length <= MaxTicketBody ? TlsOpenStatus.Handled : TlsOpenStatus.DecodeError;
            case CertificateRequest when (state->Flags & TlsTrafficFlags.TakesCertificateRequests) != 0:
                state->PartialLength = 0;
                state->SkipRemaining = (uint)length;
                // Each costs a signature: the server must earn them with data.
                if (!state->TryCountUpdate())
                    return TlsOpenStatus.UnexpectedMessage;
                return length <= Handshake.HandshakeJoiner.MaxLongSize ? TlsOpenStatus.Handled : TlsOpenStatus.IllegalParameter;
            case Certificate or CertificateVerify or Finished when (state->Flags & TlsTrafficFlags.TakesCertificates) != 0:
                state->PartialLength = 0;
                state->SkipRemaining = (uint)length;
                return length <= Handshake.HandshakeJoiner.MaxLongSize ? TlsOpenStatus.Handled : TlsOpenStatus.IllegalParameter;
            default:
                // RFC 8446 §4.6.2: a client that has not offered post_handshake_auth answers a request with unexpected_message; everything
                // else has no place here at all.
                return TlsOpenStatus.UnexpectedMessage;
        }
    }

    private static TlsOpenStatus ProcessKeyUpdate(TlsTrafficState* state)
    {
        byte request = state->Partial[HeaderLength];
        state->PartialLength = 0;
        // RFC 8446 §4.6.3: "any other value … MUST terminate the connection with an "illegal_parameter" alert".
        if (request > 1)
            return TlsOpenStatus.IllegalParameter;
        if (!state->TryCountUpdate())
            return TlsOpenStatus.TooManyKeyUpdates;
        if (request == 1)
            state->Flags |= TlsTrafficFlags.KeyUpdateRequested;
        return TlsOpenStatus.Handled;
    }
}
