using System.Text;
using System.Xml;
using VpnBroker.Authentication;

namespace VpnBroker.OpenConnect;

/// <summary>The <c>config-auth</c> documents that the broker sends.</summary>
public static class ConfigAuthDocuments
{
    /// <summary>Where forms are posted to.</summary>
    public const string FormTarget = "/auth";

    /// <summary>A form to be filled in.</summary>
    /// <param name="form">The form.</param>
    /// <param name="failed">Whether the last answer was wrong, which the client shows.</param>
    public static byte[] Form(AuthenticationForm form, bool failed) => Write("auth-request", writer =>
    {
        writer.WriteStartElement("auth");
        writer.WriteAttributeString("id", "main");
        if (form.Message is { } message)
            writer.WriteElementString("message", message);
        if (failed)
        {
            writer.WriteStartElement("error");
            writer.WriteAttributeString("id", "1");
            writer.WriteString("Login failed.");
            writer.WriteEndElement();
        }
        writer.WriteStartElement("form");
        writer.WriteAttributeString("method", "post");
        writer.WriteAttributeString("action", FormTarget);
        foreach (FormField field in form.Fields)
        {
            writer.WriteStartElement("input");
            writer.WriteAttributeString("type", field.Secret ? "password" : "text");
            writer.WriteAttributeString("name", field.Name);
            writer.WriteAttributeString("label", field.Label);
            writer.WriteEndElement();
        }
        writer.WriteEndElement();
        writer.WriteEndElement();
    });

    /// <summary>The log-in is done; the cookie is in a header.</summary>
    public static byte[] Complete() => Write("complete", writer =>
    {
        writer.WriteStartElement("auth");
        writer.WriteAttributeString("id", "success");
        writer.WriteEndElement();
    });

    private static byte[] Write(string type, Action<XmlWriter> body)
    {
        using var stream = new MemoryStream();
        // openconnect looks for "<?xml" as the first bytes: no byte order mark.
        var settings = new XmlWriterSettings { Encoding = new UTF8Encoding(encoderShouldEmitUTF8Identifier: false), CloseOutput = false };
        using (var writer = XmlWriter.Create(stream, settings))
        {
            writer.WriteStartElement("config-auth");
            writer.WriteAttributeString("client", "vpn");
            writer.WriteAttributeString("type", type);
            body(writer);
            writer.WriteEndElement();
        }
        return stream.ToArray();
    }
}
