namespace CryptoPlane.Ipfix.Sinks;

/// <summary>Writes moments as text, to the nanosecond, which the framework's types do not have.</summary>
internal static class UtcText
{
    /// <summary>Bytes of <see cref="Write"/>.</summary>
    public const int Length = 30;

    private const long NanosecondsPerSecond = 1_000_000_000, SecondsPerDay = 86_400;

    /// <summary>Writes the form of RFC 3339 with nine digits: <c>2026-11-21T18:00:00.000000001Z</c>.</summary>
    /// <param name="unix">Nanoseconds since 1970 (UTC).</param>
    /// <param name="text">At least <see cref="Length"/> bytes.</param>
    public static void Write(long unix, Span<byte> text)
    {
        (long seconds, long nanoseconds) = Math.DivRem(Math.Max(0, unix), NanosecondsPerSecond);
        (long days, long second) = Math.DivRem(seconds, SecondsPerDay);
        (int year, int month, int day) = Date(days);
        Digits(text, 0, year, 4);
        text[4] = (byte)'-';
        Digits(text, 5, month, 2);
        text[7] = (byte)'-';
        Digits(text, 8, day, 2);
        text[10] = (byte)'T';
        Digits(text, 11, second / 3600, 2);
        text[13] = (byte)':';
        Digits(text, 14, second / 60 % 60, 2);
        text[16] = (byte)':';
        Digits(text, 17, second % 60, 2);
        text[19] = (byte)'.';
        Digits(text, 20, nanoseconds, 9);
        text[29] = (byte)'Z';
    }

    /// <summary>A form for file names, which sorts by time: <c>20261121T180000Z</c>.</summary>
    public static string ForFileName(long unix)
    {
        Span<byte> text = stackalloc byte[Length];
        Write(unix, text);
        return string.Concat(System.Text.Encoding.ASCII.GetString(text[..19]).Where(c => c is not ('-' or ':'))) + "Z";
    }

    /// <summary>The Gregorian date of a day since 1970.</summary>
    private static (int Year, int Month, int Day) Date(long days)
    {
        int year = 1970;
        for (; days >= DaysOf(year); year++)
            days -= DaysOf(year);
        int month = 1;
        for (; days >= DaysOf(year, month); month++)
            days -= DaysOf(year, month);
        return (year, month, (int)days + 1);
    }

    private static int DaysOf(int year) => IsLeap(year) ? 366 : 365;

    private static int DaysOf(int year, int month) => month switch
    {
        2 => IsLeap(year) ? 29 : 28,
        4 or 6 or 9 or 11 => 30,
        _ => 31,
    };

    private static bool IsLeap(int year) => year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

    private static void Digits(Span<byte> text, int at, long value, int count)
    {
        for (int i = count - 1; i >= 0; i--, value /= 10)
            text[at + i] = (byte)('0' + (value % 10));
    }
}
