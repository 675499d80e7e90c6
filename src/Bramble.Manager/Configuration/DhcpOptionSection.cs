using System.Globalization;
using Bramble.Boot.Dhcp;
using Bramble.Wire.Dhcp;

namespace Bramble.Manager.Configuration;

/// <summary><c>options:</c> and <c>classes:</c> of a network, <c>options:</c> of a node.</summary>
internal static class DhcpOptionSection
{
    private const string OptionKind = "an option's number from 1 to 254, or a name such as dns, ntp or domain-search";

    /// <param name="rule">What the options are called in an explanation: <c>network lab</c>.</param>
    public static DhcpOptionSet Read(YamlSection section, string rule)
    {
        var options = new List<DhcpOptionRule>();
        foreach (var entry in section.Sections("options"))
        {
            if (ReadOption(entry) is { } option)
            {
                if (options.Any(o => o.Option == option.Option))
                    entry.FailAt("option", $"{DhcpOptionCatalog.NameOf(option.Option)} is given twice");
                options.Add(option);
            }
            entry.Close();
        }
        return options.Count == 0 ? DhcpOptionSet.Empty : new DhcpOptionSet(rule, options);
    }

    public static IReadOnlyList<DhcpClass> ReadClasses(YamlSection section)
    {
        var classes = new List<DhcpClass>();
        foreach (var entry in section.Sections("classes"))
        {
            var name = entry.RequiredText("name");
            if (classes.Any(c => c.Name == name) && name.Length > 0)
                entry.FailAt("name", $"two classes are named '{name}'");
            var words = entry.Section("match");
            var match = ReadMatch(words);
            // One that could not be read was complained of already.
            if (match.IsEmpty && !words.HasAny)
                entry.Fail(entry.Node, $"{entry.Path}: 'match' must say who belongs to the class");
            classes.Add(new DhcpClass(name, match, Read(entry, $"class {name}")));
            entry.Close();
        }
        return classes;
    }

    private static DhcpMatch ReadMatch(YamlSection section)
    {
        var match = new DhcpMatch
        {
            VendorClass = Octets(section, "vendor_class"),
            UserClass = Octets(section, "user_class"),
            Architectures = section.List<ushort>("architecture", TryNumber, "a number from 0 to 65535"),
            Mac = section.TryGet<MacPrefix>("mac", MacPrefix.TryParse, "the first octets of a MAC address, such as "
                + "dc:a6:32", out var prefix) ? prefix : null,
            CircuitId = Octets(section, "circuit_id"),
            RemoteId = Octets(section, "remote_id"),
        };
        section.Close();
        return match;
    }

    private static DhcpOptionRule? ReadOption(YamlSection entry)
    {
        var known = entry.TryGet<DhcpOptionName>("option", DhcpOptionCatalog.TryFind!, OptionKind, out var name);
        if (!entry.Has("option")) entry.Fail(entry.Node, $"{entry.Path}: 'option' is missing: {OptionKind}");
        var given = entry.Has("type");
        var type = entry.Choice("type", DhcpOptionType.Hex);
        var items = entry.List<string>("value", AnyText, "a text");
        var always = entry.Flag("always", false);
        var omit = entry.Flag("omit", false);
        if (!known) return null;
        if (DhcpOptionSet.IsServersOwn(name.Option))
        {
            entry.FailAt("option", $"option {(int)name.Option} ({name.Name}) is the server's own to say");
            return null;
        }
        if (omit)
        {
            if (entry.Has("value") || always) entry.FailAt("omit", "an option that is left out has no value");
            return new DhcpOptionRule(name.Option, default, Omit: true);
        }
        var listed = DhcpOptionCatalog.TryFind(name.Option, out _);
        if (given && listed && type != name.Type && type != DhcpOptionType.Hex)
        {
            entry.FailAt("type", $"{name.Name} is {DhcpOptionValue.Kind(name.Type)}: leave 'type' out");
            return null;
        }
        if (!given && !listed)
        {
            var types = string.Join(", ", Enum.GetNames<DhcpOptionType>().Select(n => n.ToLowerInvariant()));
            entry.Fail(entry.Node, $"{entry.Path}: option {(int)name.Option} has no name here, so 'type' must say "
                + $"what it is: {types}");
            return null;
        }
        // Only text that a person meant as one value keeps its blanks; a bad one was complained of already.
        if (entry.Has("value") && items.Count == 0) return null;
        if (!DhcpOptionValue.TryEncode(given ? type : name.Type, items, out var octets, out var complaint))
        {
            entry.Fail(entry.At("value"), $"{entry.Path}: {name.Name}: {complaint}");
            return null;
        }
        return new DhcpOptionRule(name.Option, octets, always);
    }

    /// <summary>Text as it stands, or octets as <c>0x0a0b</c>.</summary>
    private static ReadOnlyMemory<byte> Octets(YamlSection section, string name) =>
        section.TryGet<byte[]>(name, TryOctets, "a text, or octets such as 0x0a0b", out var octets) ? octets : default;

    private static bool TryOctets(string text, out byte[] octets)
    {
        if (text.StartsWith("0x", StringComparison.Ordinal))
            return DhcpOptionValue.TryHex(text, out octets!) && octets.Length > 0;
        octets = System.Text.Encoding.UTF8.GetBytes(text);
        return octets.Length is > 0 and < 256;
    }

    private static bool TryNumber(string text, out ushort number) =>
        ushort.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number);

    private static bool AnyText(string text, out string value)
    {
        value = text;
        return true;
    }
}
