using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text.RegularExpressions;

namespace Bramble.Cli.Import.Toml;

/// <summary>Integers, floats and booleans of TOML 1.0.0.</summary>
internal static partial class TomlNumbers
{
    public static bool Read(TomlCursor cursor, [NotNullWhen(true)] out TomlValue? value)
    {
        value = null;
        var line = cursor.Line;
        var word = cursor.TakeWhile(c => char.IsAsciiLetterOrDigit(c) || c is '+' or '-' or '_' or '.' or ':');
        value = word switch
        {
            "true" => new TomlBoolean(line, true),
            "false" => new TomlBoolean(line, false),
            "inf" or "+inf" => new TomlFloat(line, double.PositiveInfinity),
            "-inf" => new TomlFloat(line, double.NegativeInfinity),
            "nan" or "+nan" or "-nan" => new TomlFloat(line, double.NaN),
            _ when TryInteger(word, out var integer) => new TomlInteger(line, integer),
            _ when !Integer().IsMatch(word) && Float().IsMatch(word) => new TomlFloat(line, double.Parse(
                word.Replace("_", "", StringComparison.Ordinal), CultureInfo.InvariantCulture)),
            _ => null,
        };
        if (value is not null) return true;
        return cursor.Fail(word.Length == 0
            ? cursor.AtEnd || cursor.AtNewLine ? "the value is missing"
                : $"no value begins with '{TomlCursor.Shown(cursor.Next)}'"
            : Date().IsMatch(word) ? $"'{word}' is a date or a time, which is not read here"
            : Integer().IsMatch(word) ? $"{word} does not fit into 64 bits"
            : $"'{word}' is no value; a text stands in quotes");
    }

    private static bool TryInteger(string word, out long value)
    {
        value = 0;
        if (!Integer().IsMatch(word)) return false;
        var digits = word.Replace("_", "", StringComparison.Ordinal);
        var (kind, from) = digits.Length < 2 ? (NumberStyles.AllowLeadingSign, 0) : digits[..2] switch
        {
            "0x" => (NumberStyles.AllowHexSpecifier, 2),
            "0b" => (NumberStyles.AllowBinarySpecifier, 2),
            "0o" => (NumberStyles.None, 2),
            _ => (NumberStyles.AllowLeadingSign, 0),
        };
        if (digits.StartsWith("0o", StringComparison.Ordinal)) return TryOctal(digits[2..], out value);
        // A number that sets the sign bit in hexadecimal is one that does not fit: TOML's have no sign there.
        return long.TryParse(digits.AsSpan(from), kind, CultureInfo.InvariantCulture, out value)
            && (from == 0 || value >= 0);
    }

    private static bool TryOctal(string digits, out long value)
    {
        value = 0;
        foreach (var c in digits)
        {
            if (value > long.MaxValue >> 3) return false;
            value = (value << 3) + (c - '0');
        }
        return true;
    }

    [GeneratedRegex(@"^([+-]?(0|[1-9](_?[0-9])*)|0x[0-9a-fA-F](_?[0-9a-fA-F])*|0o[0-7](_?[0-7])*|0b[01](_?[01])*)\z")]
    private static partial Regex Integer();

    [GeneratedRegex(@"^[+-]?(0|[1-9](_?[0-9])*)(\.[0-9](_?[0-9])*)?([eE][+-]?[0-9](_?[0-9])*)?\z")]
    private static partial Regex Float();

    [GeneratedRegex(@"^([0-9]{4}-[0-9]{2}-[0-9]{2}|[0-9]{2}:[0-9]{2}:)")]
    private static partial Regex Date();
}
