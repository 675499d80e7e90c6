namespace Bramble.Manager.Configuration;

/// <summary>The <c>gateway:</c> of a network.</summary>
internal static class GatewaySection
{
    private const string Auto = "auto";

    public static GatewayOptions? Read(YamlSection network, string face)
    {
        var section = network.Section("gateway");
        if (!network.Has("gateway")) return null;
        var uplink = section.RequiredText("uplink");
        // IFNAMSIZ; and what would leave its quotes in a rule, or its directory in /proc.
        if (uplink is { Length: > 15 } or ".." or "."
            || uplink.Any(c => c is '/' or '"' or '\\' or ' ' || char.IsControl(c)))
            section.FailAt("uplink", $"'{uplink}' cannot be the name of an interface; give one, or 'auto'");
        else if (uplink == face && face.Length > 0)
            section.FailAt("uplink", $"{uplink} is the boot network's own interface; name the one that leads out");
        section.Close();
        return new GatewayOptions(uplink == Auto ? null : uplink);
    }
}
