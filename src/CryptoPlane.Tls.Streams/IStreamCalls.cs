namespace CryptoPlane.Tls.Streams;

/// <summary>What waits, in two ways: so that one text serves the asynchronous methods and the blocking ones.</summary>
internal interface IStreamCalls
{
    /// <summary>Reads.</summary>
    static abstract ValueTask<int> ReadAsync(Stream stream, Memory<byte> buffer, CancellationToken cancellationToken);

    /// <summary>Writes.</summary>
    static abstract ValueTask WriteAsync(Stream stream, ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken);

    /// <summary>Flushes.</summary>
    static abstract ValueTask FlushAsync(Stream stream, CancellationToken cancellationToken);

    /// <summary>Waits for one's turn.</summary>
    static abstract ValueTask WaitAsync(SemaphoreSlim turn, CancellationToken cancellationToken);

    /// <summary>Has public-key work done.</summary>
    static abstract ValueTask ExecuteAsync(TlsPendingWork work);
}

/// <summary>Calls that give their thread back while they wait. Public-key work goes to the thread pool, and not on with the caller's loop.</summary>
internal readonly struct AsynchronousCalls : IStreamCalls
{
    public static ValueTask<int> ReadAsync(Stream stream, Memory<byte> buffer, CancellationToken cancellationToken) =>
        stream.ReadAsync(buffer, cancellationToken);

    public static ValueTask WriteAsync(Stream stream, ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken) =>
        stream.WriteAsync(buffer, cancellationToken);

    public static ValueTask FlushAsync(Stream stream, CancellationToken cancellationToken) => new(stream.FlushAsync(cancellationToken));

    public static ValueTask WaitAsync(SemaphoreSlim turn, CancellationToken cancellationToken) => new(turn.WaitAsync(cancellationToken));

    public static ValueTask ExecuteAsync(TlsPendingWork work) => new(Task.Run(work.Execute));
}

/// <summary>Calls that are done when they return.</summary>
internal readonly struct BlockingCalls : IStreamCalls
{
    public static ValueTask<int> ReadAsync(Stream stream, Memory<byte> buffer, CancellationToken cancellationToken) =>
        new(stream.Read(buffer.Span));

    public static ValueTask WriteAsync(Stream stream, ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken)
    {
        stream.Write(buffer.Span);
        return default;
    }

    public static ValueTask FlushAsync(Stream stream, CancellationToken cancellationToken)
    {
        stream.Flush();
        return default;
    }

    public static ValueTask WaitAsync(SemaphoreSlim turn, CancellationToken cancellationToken)
    {
        turn.Wait(cancellationToken);
        return default;
    }

    public static ValueTask ExecuteAsync(TlsPendingWork work)
    {
        work.Execute();
        return default;
    }
}
