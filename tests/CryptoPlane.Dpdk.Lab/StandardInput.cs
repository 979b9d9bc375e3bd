namespace CryptoPlane.Dpdk.Lab;

/// <summary>Who started the program closes its standard input to end it.</summary>
internal sealed class StandardInput
{
    private volatile bool _closed;

    public StandardInput() => new Thread(Wait) { IsBackground = true }.Start();

    public bool IsClosed => _closed;

    private void Wait()
    {
        while (Console.In.ReadLine() != null)
        {
        }
        _closed = true;
    }
}
