namespace Bramble.Boot.Images;

/// <summary>Checks what people type about images before it becomes a path.</summary>
internal static class ImageName
{
    private static readonly string[] Architectures = ["arm64", "armhf", "amd64"];

    /// <exception cref="ImageException">Not lower-case letters, digits, <c>.</c>, <c>_</c>, <c>-</c>; or over
    /// 63.</exception>
    public static void Check(string name)
    {
        if (name.Length is > 0 and <= 63 && (char.IsAsciiLetterLower(name[0]) || char.IsAsciiDigit(name[0]))
            && name.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c is '.' or '_' or '-'))
        {
            return;
        }
        throw new ImageException(
            "An image's name has 1 to 63 lower-case letters, digits, dots, underscores and dashes, and starts with a " +
            $"letter or digit; \"{name}\" does not fit.");
    }

    public static void CheckArchitecture(string architecture)
    {
        if (Architectures.Contains(architecture)) return;
        throw new ImageException($"The architecture {architecture} is not one of {string.Join(", ", Architectures)}.");
    }

    public static void CheckOptions(ImageAddOptions options)
    {
        if (options.Architecture is { } architecture) CheckArchitecture(architecture);
        if (options.Sha256 is { } sum && (sum.Length != 64 || !sum.All(char.IsAsciiHexDigit)))
            throw new ImageException($"A SHA-256 checksum has 64 hexadecimal digits; \"{sum}\" does not fit.");
    }
}
