using System.Collections.Frozen;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace Bramble.Wire.Dhcp;

/// <summary>An option that has a name: what people call it, and what its value is.</summary>
public sealed record DhcpOptionName(DhcpOption Option, string Name, DhcpOptionType Type);

/// <summary>
/// Names and types of the common options (RFC 2132 and the registry of IANA). What is not listed goes by its number.
/// </summary>
public static class DhcpOptionCatalog
{
    private static readonly DhcpOptionName[] Names =
    [
        new((DhcpOption)1, "subnet-mask", DhcpOptionType.Address),
        new((DhcpOption)2, "time-offset", DhcpOptionType.UInt32),
        new((DhcpOption)3, "router", DhcpOptionType.Addresses),
        new((DhcpOption)4, "time-server", DhcpOptionType.Addresses),
        new((DhcpOption)6, "dns", DhcpOptionType.Addresses),
        new((DhcpOption)7, "log-server", DhcpOptionType.Addresses),
        new((DhcpOption)9, "lpr-server", DhcpOptionType.Addresses),
        new((DhcpOption)12, "hostname", DhcpOptionType.Text),
        new((DhcpOption)13, "boot-file-size", DhcpOptionType.UInt16),
        new((DhcpOption)15, "domain", DhcpOptionType.Text),
        new((DhcpOption)16, "swap-server", DhcpOptionType.Address),
        new((DhcpOption)17, "root-path", DhcpOptionType.Text),
        new((DhcpOption)19, "ip-forwarding", DhcpOptionType.Flag),
        new((DhcpOption)23, "default-ttl", DhcpOptionType.UInt8),
        new((DhcpOption)26, "mtu", DhcpOptionType.UInt16),
        new((DhcpOption)28, "broadcast", DhcpOptionType.Address),
        new((DhcpOption)33, "static-routes", DhcpOptionType.Addresses),
        new((DhcpOption)40, "nis-domain", DhcpOptionType.Text),
        new((DhcpOption)41, "nis-server", DhcpOptionType.Addresses),
        new((DhcpOption)42, "ntp", DhcpOptionType.Addresses),
        new((DhcpOption)43, "vendor-specific", DhcpOptionType.Hex),
        new((DhcpOption)44, "netbios-name-server", DhcpOptionType.Addresses),
        new((DhcpOption)46, "netbios-node-type", DhcpOptionType.UInt8),
        new((DhcpOption)50, "requested-address", DhcpOptionType.Address),
        new((DhcpOption)51, "lease-time", DhcpOptionType.UInt32),
        new((DhcpOption)52, "overload", DhcpOptionType.UInt8),
        new((DhcpOption)53, "message-type", DhcpOptionType.UInt8),
        new((DhcpOption)54, "server-identifier", DhcpOptionType.Address),
        new((DhcpOption)55, "parameter-list", DhcpOptionType.UInt8),
        new((DhcpOption)56, "message", DhcpOptionType.Text),
        new((DhcpOption)57, "maximum-size", DhcpOptionType.UInt16),
        new((DhcpOption)58, "renewal-time", DhcpOptionType.UInt32),
        new((DhcpOption)59, "rebinding-time", DhcpOptionType.UInt32),
        new((DhcpOption)60, "vendor-class", DhcpOptionType.Text),
        new((DhcpOption)61, "client-identifier", DhcpOptionType.Hex),
        new((DhcpOption)66, "tftp-server", DhcpOptionType.Text),
        new((DhcpOption)67, "boot-file", DhcpOptionType.Text),
        new((DhcpOption)77, "user-class", DhcpOptionType.Text),
        new((DhcpOption)80, "rapid-commit", DhcpOptionType.Hex),
        new((DhcpOption)82, "relay-agent", DhcpOptionType.Hex),
        new((DhcpOption)90, "authentication", DhcpOptionType.Hex),
        new((DhcpOption)93, "client-architecture", DhcpOptionType.UInt16),
        new((DhcpOption)94, "client-interface", DhcpOptionType.Hex),
        new((DhcpOption)97, "client-uuid", DhcpOptionType.Hex),
        new((DhcpOption)100, "posix-timezone", DhcpOptionType.Text),
        new((DhcpOption)101, "timezone", DhcpOptionType.Text),
        new((DhcpOption)114, "captive-portal", DhcpOptionType.Text),
        new((DhcpOption)118, "subnet-selection", DhcpOptionType.Address),
        new((DhcpOption)119, "domain-search", DhcpOptionType.DomainList),
        new((DhcpOption)121, "classless-routes", DhcpOptionType.Routes),
        new((DhcpOption)150, "tftp-addresses", DhcpOptionType.Addresses),
        new((DhcpOption)209, "config-file", DhcpOptionType.Text),
        new((DhcpOption)210, "path-prefix", DhcpOptionType.Text),
        new((DhcpOption)252, "wpad", DhcpOptionType.Text),
    ];

    private static readonly FrozenDictionary<DhcpOption, DhcpOptionName> ByNumber =
        Names.ToFrozenDictionary(n => n.Option);

    private static readonly FrozenDictionary<string, DhcpOptionName> ByName =
        Names.ToFrozenDictionary(n => n.Name, StringComparer.OrdinalIgnoreCase);

    /// <summary>The names, for a message that says which there are.</summary>
    public static IEnumerable<string> AllNames => Names.Select(n => n.Name);

    public static bool TryFind(DhcpOption option, [NotNullWhen(true)] out DhcpOptionName? name) =>
        ByNumber.TryGetValue(option, out name);

    /// <summary>By its name, or its number from 1 to 254; a number without a name is octets.</summary>
    public static bool TryFind(string text, [NotNullWhen(true)] out DhcpOptionName? name)
    {
        if (ByName.TryGetValue(text, out name)) return true;
        if (!byte.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            || number is 0 or 255)
            return false;
        if (!TryFind((DhcpOption)number, out name))
            name = new DhcpOptionName((DhcpOption)number, text, DhcpOptionType.Hex);
        return true;
    }

    /// <summary>What people call an option: <c>router</c>, or its number.</summary>
    public static string NameOf(DhcpOption option) =>
        TryFind(option, out var name) ? name.Name : ((int)option).ToString(CultureInfo.InvariantCulture);

    /// <summary>A value in words, as its option's type says; octets where it does not fit the type.</summary>
    public static string Show(DhcpOption option, ReadOnlySpan<byte> value) =>
        DhcpOptionValue.Show(TryFind(option, out var name) ? name.Type : DhcpOptionType.Hex, value);
}
