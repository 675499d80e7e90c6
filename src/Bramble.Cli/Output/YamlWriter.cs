using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace Bramble.Cli.Output;

/// <summary>
/// JSON as block-style YAML 1.2 that a YAML 1.1 reader takes for the same. A string is written plain only if no reader
/// could see anything else in it; all others are double-quoted, whose escapes are JSON's (YAML 1.2.2 section 7.3.1).
/// </summary>
internal static partial class YamlWriter
{
    public static string Write(JsonElement element)
    {
        var text = new StringBuilder();
        switch (element.ValueKind)
        {
            case JsonValueKind.Object when element.EnumerateObject().Any():
                WriteMembers(text, element, indent: 0, firstIsIndented: false);
                break;
            case JsonValueKind.Array when element.GetArrayLength() > 0:
                WriteItems(text, element, indent: 0);
                break;
            default:
                text.Append(Scalar(element)).Append('\n');
                break;
        }
        return text.ToString();
    }

    private static void WriteMembers(StringBuilder text, JsonElement element, int indent, bool firstIsIndented)
    {
        foreach (var member in element.EnumerateObject())
        {
            if (!firstIsIndented) text.Append(' ', indent);
            firstIsIndented = false;
            text.Append(Scalar(member.Name)).Append(':');
            switch (member.Value.ValueKind)
            {
                case JsonValueKind.Object when member.Value.EnumerateObject().Any():
                    text.Append('\n');
                    WriteMembers(text, member.Value, indent + 2, firstIsIndented: false);
                    break;
                case JsonValueKind.Array when member.Value.GetArrayLength() > 0:
                    text.Append('\n');
                    WriteItems(text, member.Value, indent + 2);
                    break;
                default:
                    text.Append(' ').Append(Scalar(member.Value)).Append('\n');
                    break;
            }
        }
    }

    private static void WriteItems(StringBuilder text, JsonElement element, int indent)
    {
        foreach (var item in element.EnumerateArray())
        {
            text.Append(' ', indent).Append('-');
            switch (item.ValueKind)
            {
                case JsonValueKind.Object when item.EnumerateObject().Any():
                    text.Append(' ');
                    WriteMembers(text, item, indent + 2, firstIsIndented: true);
                    break;
                case JsonValueKind.Array when item.GetArrayLength() > 0:
                    text.Append('\n');
                    WriteItems(text, item, indent + 2);
                    break;
                default:
                    text.Append(' ').Append(Scalar(item)).Append('\n');
                    break;
            }
        }
    }

    private static string Scalar(JsonElement element) => element.ValueKind switch
    {
        JsonValueKind.Object => "{}",
        JsonValueKind.Array => "[]",
        JsonValueKind.String => Scalar(element.GetString()!),
        JsonValueKind.Null => "null",
        _ => element.GetRawText(),
    };

    private static string Scalar(string value) =>
        PlainWord().IsMatch(value) && !OtherMeaning().IsMatch(value) ? value : Quoted(value);

    private static string Quoted(string value)
    {
        var text = new StringBuilder(value.Length + 2).Append('"');
        foreach (var rune in value.EnumerateRunes())
        {
            _ = rune.Value switch
            {
                '"' => text.Append("\\\""),
                '\\' => text.Append("\\\\"),
                '\n' => text.Append("\\n"),
                '\r' => text.Append("\\r"),
                '\t' => text.Append("\\t"),
                _ when IsPrintable(rune) => text.Append(rune.ToString()),
                > 0xffff => text.Append(CultureInfo.InvariantCulture, $"\\U{rune.Value:x8}"),
                _ => text.Append(CultureInfo.InvariantCulture, $"\\u{rune.Value:x4}"),
            };
        }
        return text.Append('"').ToString();
    }

    /// <summary>Printable by YAML 1.2.2 section 5.1, less what a reader or an eye takes for something else.</summary>
    private static bool IsPrintable(Rune rune) => rune.Value switch
    {
        < 0x20 or (>= 0x7f and < 0xa0) => false,
        0x2028 or 0x2029 or 0xfffe or 0xffff => false,
        _ => !(rune.IsBmp && Human.IsHidden((char)rune.Value)),
    };

    /// <summary>Letters first, and nothing inside that ends a plain scalar (": ", " #") or a flow one.</summary>
    [GeneratedRegex(@"^[A-Za-z_/](?:[A-Za-z0-9_./+@()-]| (?=[A-Za-z0-9_./+@()]))*\z", RegexOptions.CultureInvariant)]
    private static partial Regex PlainWord();

    /// <summary>Null and booleans of YAML 1.1 and 1.2.</summary>
    [GeneratedRegex(@"^(?:null|true|false|yes|no|on|off|y|n)\z",
        RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex OtherMeaning();
}
