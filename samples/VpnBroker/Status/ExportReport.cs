namespace VpnBroker.Status;

/// <summary>One sink of flow records.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Target">What it is, and where records go.</param>
/// <param name="State">How it is.</param>
/// <param name="Records">Records that were exported.</param>
/// <param name="Messages">IPFIX messages.</param>
/// <param name="Bytes">Their bytes, or those of lines.</param>
/// <param name="Dropped">Records that were dropped because the sink was slow or away.</param>
/// <param name="Waiting">Records that wait.</param>
/// <param name="Errors">Failed writes, sends and attempts to connect.</param>
/// <param name="Reconnects">Connections after the first.</param>
/// <param name="Files">Complete files.</param>
public sealed record ExportReport(
    string Name, string Target, string State, long Records, long Messages, long Bytes, long Dropped, long Waiting, long Errors, long Reconnects, long Files);
