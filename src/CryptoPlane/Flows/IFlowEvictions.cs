namespace CryptoPlane.Flows;

/// <summary>Is told of flows that make room for others, so that what is known of them can be reported.</summary>
public interface IFlowEvictions
{
    /// <summary>
    /// A flow is about to be evicted; its key, state and extensions are readable for the last time. Called on the table's thread,
    /// within a call that adds flows: look, and change nothing in this table.
    /// </summary>
    void Evicting(int index);

    /// <summary>
    /// Whether a flow stays, though it may be the one that was idle for longest. Called as <see cref="Evicting"/> is, for each flow that
    /// might go; without an implementation none stays for the application's sake.
    /// </summary>
    bool Spares(int index) => false;
}
