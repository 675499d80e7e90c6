using System.Globalization;

namespace Bramble.Boot.Loaders;

/// <summary>
/// Client architectures (DHCP option 93, RFC 4578 §2.1 and IANA's registry of processor architecture types), with the
/// names that the configuration uses for them.
/// </summary>
public static class ClientArchitecture
{
    public const ushort Bios = 0;
    public const ushort UefiIa32 = 6;
    public const ushort UefiX64 = 7;

    /// <summary>EFI byte code, and what much x64 firmware says it is.</summary>
    public const ushort UefiEbc = 9;
    public const ushort UefiArm32 = 10;
    public const ushort UefiArm64 = 11;
    public const ushort HttpIa32 = 15;
    public const ushort HttpX64 = 16;
    public const ushort HttpArm32 = 18;
    public const ushort HttpArm64 = 19;
    public const ushort UBootArm32 = 21;
    public const ushort UBootArm64 = 22;

    private static readonly (ushort Number, string Name)[] s_names =
    [
        (Bios, "bios"), (UefiIa32, "uefi-ia32"), (UefiX64, "uefi-x64"), (UefiEbc, "uefi-ebc"),
        (UefiArm32, "uefi-arm32"), (UefiArm64, "uefi-arm64"), (HttpIa32, "http-ia32"), (HttpX64, "http-x64"),
        (HttpArm32, "http-arm32"), (HttpArm64, "http-arm64"), (UBootArm32, "uboot-arm32"),
        (UBootArm64, "uboot-arm64"),
    ];

    /// <summary>Its name, else its number.</summary>
    public static string NameOf(ushort architecture)
    {
        foreach (var (number, name) in s_names)
            if (number == architecture) return name;
        return architecture.ToString(CultureInfo.InvariantCulture);
    }

    /// <summary>Reads a name or a number.</summary>
    public static bool TryParse(string text, out ushort architecture)
    {
        foreach (var (number, name) in s_names)
        {
            if (name != text) continue;
            architecture = number;
            return true;
        }
        return ushort.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out architecture);
    }

    /// <summary>The names, for an error message.</summary>
    public static string Names => string.Join(", ", s_names.Select(n => n.Name));
}
