namespace Bramble.Manager.Configuration;

/// <summary>
/// Enumerations as single words: no numbers and no lists, both of which <c>Enum.TryParse</c> takes as well.
/// </summary>
internal static class Words
{
    public static bool TryParse<T>(string text, out T value) where T : struct, Enum
    {
        value = default;
        return Enum.GetNames<T>().Contains(text, StringComparer.OrdinalIgnoreCase)
            && Enum.TryParse(text, ignoreCase: true, out value);
    }
}
