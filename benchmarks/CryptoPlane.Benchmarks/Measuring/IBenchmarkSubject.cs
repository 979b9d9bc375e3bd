namespace CryptoPlane.Benchmarks.Measuring;

/// <summary>Something that does one kind of operation again and again: ours, or a peer.</summary>
internal interface IBenchmarkSubject : IDisposable
{
    /// <summary>Who it is, for the table.</summary>
    string Name { get; }

    /// <summary>Operations that one <see cref="Run"/> does.</summary>
    int OperationsPerRun { get; }

    /// <summary>Makes ready what the next <see cref="Run"/> uses up (records to open, say). Not timed.</summary>
    /// <returns>False where nothing is ever used up, so that runs may follow one another without a look at the clock.</returns>
    bool Prepare();

    /// <summary>Does the operations. Timed.</summary>
    void Run();

    /// <summary>Checks that the last <see cref="Run"/> did what it claims, so that nothing that fails fast looks fast.</summary>
    /// <exception cref="InvalidOperationException">It did not.</exception>
    void Verify();
}
