namespace CryptoPlane.Ipfix.Messages;

/// <summary>A template or options template: which elements the records of a set have, in which order (RFC 7011 §3.4.1, §3.4.2).</summary>
/// <param name="Id">Its number, 256 to 65535, which is the set's as well.</param>
/// <param name="Scopes">How many of the first elements are scope; 0 for a plain template.</param>
/// <param name="Elements">The elements.</param>
internal sealed record IpfixTemplate(ushort Id, int Scopes, IReadOnlyList<IpfixElement> Elements)
{
    /// <summary>Set identifiers of templates (RFC 7011 §3.3.2).</summary>
    public const ushort TemplateSet = 2, OptionsTemplateSet = 3;

    /// <summary>The set that the template itself is sent in.</summary>
    public ushort SetId => Scopes == 0 ? TemplateSet : OptionsTemplateSet;

    /// <summary>Appends the template record.</summary>
    public void Write(ref RecordBuffer record)
    {
        record.Add16(Id);
        record.Add16((ushort)Elements.Count);
        if (Scopes != 0)
            record.Add16((ushort)Scopes);
        foreach (IpfixElement element in Elements)
            record.AddSpecifier(element);
    }
}
